#!/bin/sh
# Expects to be alone in its database: somebody else's item 1 is an error.
set -eu
"$SQL" "SELECT 'database ' || current_database()" \
  "INSERT INTO item VALUES (1, '$1')" "INSERT INTO item VALUES (2, '$(cat "$2")')"
test "$("$SQL" 'SELECT count(*) FROM item')" = 2
