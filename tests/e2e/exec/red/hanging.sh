#!/bin/sh
# Does not end when it is asked to.
trap '' TERM
set -eu
"$SQL" "SELECT 'connected'"
"$SQL" "SELECT pg_sleep(600)"
