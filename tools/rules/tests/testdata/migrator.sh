#!/bin/sh
# Stands for a migrator; no test runs it.
