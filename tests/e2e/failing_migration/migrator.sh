#!/bin/sh
echo "migrator: cannot make up my mind about $PGUSER"
exit 3
