package postgres

import (
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// live holds the servers of this process that have not been closed.
var live sync.Map // *Server to true

// CloseOnTerminate makes SIGTERM end all servers of this process, once and for all calls; the signal then has no other
// effect here.
//
// It is for tests under Bazel, which ends a test by SIGTERM and, some seconds later, kills all that it has started: the
// keepers would have no time to leave nothing. rules_go ignores the signal; see
// https://bazel.build/reference/test-encyclopedia.
var CloseOnTerminate = sync.OnceFunc(func() {
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)
	go func() {
		for range terminated {
			live.Range(func(s, _ any) bool {
				s.(*Server).Close()
				return true
			})
		}
	}()
})
