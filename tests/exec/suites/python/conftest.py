"""One connection for a whole run, as the suite's authors had it."""

import os

import psycopg2
import pytest


@pytest.fixture(scope="session")
def db():
    conn = psycopg2.connect(os.environ["DATABASE_URL"])
    conn.autocommit = True
    yield conn.cursor()
    conn.close()


@pytest.fixture(autouse=True)
def clean(db):
    db.execute("TRUNCATE item RESTART IDENTITY")
