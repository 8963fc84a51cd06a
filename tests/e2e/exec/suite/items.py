#!/usr/bin/env python3
"""Expects to be alone in its database: somebody else's item 1 is an error."""

import os
import subprocess


def sql(statement):
    return subprocess.run([os.environ["SQL"], statement], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


print(sql("SELECT 'database ' || current_database()"), flush=True)
sql("INSERT INTO item VALUES (1, 'from Python')")
assert sql("SELECT count(*) FROM item") == "1"
