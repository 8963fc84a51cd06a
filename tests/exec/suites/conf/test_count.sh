#!/bin/sh
# Adds rows, and counts them. The database is the one that the configuration file names, not the environment.
set -eu
cd "$(dirname "$0")"
unset DATABASE_URL PGHOST PGPORT PGUSER PGPASSWORD PGDATABASE
dsn=$(cat conf/test.conf)
psql "$dsn" -qc 'TRUNCATE item'
for name in a b c; do
    psql "$dsn" -qc "INSERT INTO item (name) VALUES ('$name')"
done
test "$(psql "$dsn" -Atc 'SELECT count(*) FROM item')" = 3
