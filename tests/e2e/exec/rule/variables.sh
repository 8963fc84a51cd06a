#!/bin/sh
# Connects by variables other than DATABASE_URL; the template is an empty database.
set -eu
DATABASE_URL=$ITEMS_DSN "$SQL" "CREATE TABLE item (id int)"
test "$("$SQL" 'SELECT current_database()')" = "$PGDATABASE"
