package run

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/pgcell/pgcell/tools/internal/bazel"
	"github.com/pgcell/pgcell/tools/internal/results"
	"github.com/pgcell/pgcell/tools/internal/selection"
)

// call is one finished call of Bazel.
type call struct {
	selection.Invocation
	run      *results.Run
	finished *bazel.Finished // nil when Bazel ended without its last events
	exit     int             // of the process
	begun    bool
	start    time.Time
	live     *results.Live // nil until Bazel has said where it runs tests
	process  *bazel.Process

	executions string // file of what was executed, see keepExecutions
}

// call runs Bazel once and takes in its events while it runs.
func (s *session) call(inv selection.Invocation, events string) (*call, error) {
	messages := &bazel.Messages{To: s.bar.Messages()}
	if s.bar.Active() {
		messages.Progress = s.bar.Building
	}
	defer messages.Flush()
	start := s.Now()
	process, err := s.client(inv.Postgres).Start(s.bazelArgs(&inv, events), messages)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		defer cancel()
		s.watch(process)
	}()

	c := &call{Invocation: inv, run: &results.Run{}, process: process, executions: executionLog(events), start: start}
	s.print.Named = len(inv.Names) > 0
	err = bazel.FollowIdle(ctx, events, func(e bazel.Event) { s.event(c, e) }, func() { s.idle(c) })
	if err != nil {
		fmt.Fprintf(s.bar.Messages(), "pgcell run: %v: the results are not complete\n", err)
	}
	<-watched
	c.exit = process.ExitCode()
	s.takeStopped(c)
	return c, nil
}

// event takes one event in.
func (s *session) event(c *call, e bazel.Event) {
	versioned(e, s.version(&c.Invocation))
	switch {
	case e.Started != nil && c.begun:
		s.begin(c)
	case e.Started != nil:
		c.begun = true
	case e.Finished != nil:
		c.finished = e.Finished
	case e.Options != nil:
		if output := e.Options.Get("test_output"); output == "all" || output == "streamed" {
			s.print.ShowOutput()
		}
	case e.ExecRoot != nil:
		// A file's time may be a little behind the clock; but what the run before has written is older than that.
		c.live = results.NewLive(e.ExecRoot.Path, c.start.Add(-20*time.Millisecond))
	case e.Target != nil && e.Target.OK && e.Target.Shards > 0:
		s.limit.flaky[e.Target.Label] = e.Target.Flaky
		s.bar.Target(e.Target.Label, e.Target.Shards, max(s.o.Stress, 1))
		if c.live != nil && s.limit.attempts(e.Target.Label) == 1 {
			c.live.Add(e.Target, s.o.Stress)
		}
	}
	shard := c.run.Add(e)
	if shard == nil {
		return
	}
	if c.live != nil {
		c.live.Done(shard.Label, shard.Run, shard.Index)
	}
	s.keepOutputs(c, shard)
	s.limit.shard(shard)
	s.bar.Shard(shard)
	s.print.Shard(shard, s.limit.attempts(shard.Label))
	s.checkLimit(c)
}

// begin forgets the results of a call that Bazel begins anew, since the remote cache has lost what it needs.
func (s *session) begin(c *call) {
	if c.live != nil {
		c.live.Close()
	}
	c.run, c.finished, c.live = &results.Run{}, nil, nil
	s.bar.Restart()
	s.print.Line("Bazel begins anew: what came before does not count")
}

// idle looks at what tests print while they run.
func (s *session) idle(c *call) {
	if c.live != nil && s.bar.Due() {
		c.live.Poll(func(e results.LiveEvent) {
			s.limit.live(e)
			s.bar.Test(e)
			if dir := s.keptDir(c, e.Shard.Shard()); dir != "" {
				e.Shard.Outputs = filepath.Join(dir, "test.outputs")
			}
			s.print.Live(e)
		})
		s.bar.Running = len(c.live.Started())
		s.checkLimit(c)
	}
	s.bar.Draw()
}
