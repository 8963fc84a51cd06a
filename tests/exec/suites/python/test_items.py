import subprocess
import time

import pytest


@pytest.mark.parametrize("n", range(12))
def test_insert(db, n):
    for name in ("a", "b"):
        db.execute("INSERT INTO item (name) VALUES (%s)", (name,))
        time.sleep(0.02)
    db.execute("SELECT count(*), max(id) FROM item")
    assert db.fetchone() == (2, 2)


def test_child(db):
    """A program that a test starts uses the test's database."""
    db.execute("SELECT current_database()")
    out = subprocess.run(["psql", "-Atc", "SELECT current_database()"], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == db.fetchone()[0]
