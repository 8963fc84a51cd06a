#!/bin/sh
set -eu
"$SQL" "INSERT INTO item VALUES (1, 'one')"
"$SQL" "SELECT 'items: ' || count(*) FROM item"
exit 5
