// Package storage decides where a private server's data goes, to memory or to disk, and how much room it may take.
package storage
