#!/bin/sh
# Adds rows, and counts them.
set -eu
psql -qc 'TRUNCATE item'
for name in a b c; do
    psql -qc "INSERT INTO item (name) VALUES ('$name')"
done
test "$(psql -Atc 'SELECT count(*) FROM item')" = 3
