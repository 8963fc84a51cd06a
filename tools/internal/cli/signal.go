package cli

import (
	"os"
	"os/signal"
	"syscall"
)

// NotifyStop delivers the signals by which a person or a CI system ends this command, or nobody reads on what it
// prints.
func NotifyStop(c chan<- os.Signal) {
	signal.Notify(c, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
}

// OutliveReaders has a write to a pipe that nobody reads fail, in place of ending the process before it has cleaned up.
func OutliveReaders() { signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) }
