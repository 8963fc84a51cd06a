#!/bin/sh
# A suite whose processes read where their database is from a file.
set -eu
cd "$(dirname "$0")"
sh test_count.sh &
other=$!
sh test_count.sh
wait "$other"
