// Package binaries finds PostgreSQL's programs on a machine and tells which version and build they are.
package binaries
