//go:build unix && !linux

package postgres

// freeSharedMemory does nothing: without /proc there is no way to tell whose segment an id is by now.
func freeSharedMemory(string) {}
