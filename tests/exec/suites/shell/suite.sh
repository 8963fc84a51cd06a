#!/bin/sh
# A suite that is a script: each of its test files expects to be alone in its database.
set -eu
cd "$(dirname "$0")"
fail=0
for file in test_*.sh; do
    sh "$file" &
    pids="${pids:-} $!"
done
for pid in $pids; do
    wait "$pid" || fail=1
done
exit $fail
