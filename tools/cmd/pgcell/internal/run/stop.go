package run

import (
	"fmt"

	"github.com/pgcell/pgcell/tools/internal/bazel"
	"github.com/pgcell/pgcell/tools/internal/cli"
	"github.com/pgcell/pgcell/tools/internal/results"
)

// checkLimit stops Bazel once enough tests have failed.
func (s *session) checkLimit(c *call) {
	if s.limit.reached && !c.process.Interrupted() {
		s.print.Line("stopping: %s failed (--maxfail %d)", cli.Plural(len(s.limit.counted), "test"), s.limit.limit)
		c.process.Interrupt()
	}
}

// takeStopped takes in what is known of shards that were stopped while they ran.
func (s *session) takeStopped(c *call) {
	if c.live == nil {
		return
	}
	c.live.Poll(func(e results.LiveEvent) { s.limit.live(e) })
	c.live.Close()
	if !s.stopped && !s.limit.reached {
		return
	}
	for _, live := range c.live.Started() {
		c.run.Stop(live)
	}
}

// watch waits for Bazel's end and passes the first signal on to it.
func (s *session) watch(process *bazel.Process) {
	for {
		select {
		case <-process.Done:
			return
		case <-s.stop:
			if !s.stopped {
				s.stopped = true
				fmt.Fprintln(s.bar.Messages(),
					"pgcell run: interrupted: Bazel stops the running tests, which may take some seconds")
				process.Interrupt()
			}
		}
	}
}
