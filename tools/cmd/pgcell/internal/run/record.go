package run

import (
	"github.com/pgcell/pgcell/tools/internal/cli"
	"github.com/pgcell/pgcell/tools/internal/history"
	"github.com/pgcell/pgcell/tools/internal/results"
	"github.com/pgcell/pgcell/tools/internal/secret"
	"github.com/pgcell/pgcell/tools/internal/summary"
	"github.com/pgcell/pgcell/tools/internal/workspace"
)

// openHistory gives the history of a workspace, nil where there is no place for one.
func openHistory(p *cli.Process, w *workspace.Workspace) *history.Store {
	dir, err := history.CacheDir(p.Getenv)
	if err != nil {
		return nil
	}
	return history.Open(dir, w.Root)
}

// recorded gives the recorded executions and what failed last; none where they cannot be read.
func (s *session) recorded() (*history.Times, []history.TestID) {
	if s.history == nil {
		return &history.Times{}, nil
	}
	times, err := s.history.Times()
	if err != nil {
		times = &history.Times{}
	}
	last, err := s.history.LastFailed()
	if err != nil {
		last = nil
	}
	return times, last
}

// past gives the runs before this one, newest first.
func (s *session) past() []*history.Run {
	if s.history == nil || s.o.Report == "" {
		return nil
	}
	runs, err := s.history.Runs(history.KeptRuns)
	if err != nil {
		return nil
	}
	return runs
}

// save adds a run to the history. A run without any result, such as one with a wrong flag, is none.
func (s *session) save(run *history.Run) error {
	if s.history == nil || len(run.Shards) == 0 {
		return nil
	}
	return s.history.Save(run)
}

// record turns a finished run into what the history keeps.
func (s *session) record(calls []*call, sum *summary.Summary, code int) *history.Run {
	run := &history.Run{
		Start: s.start.UTC(), End: s.start.Add(sum.Took).UTC(), Workspace: s.space.Root, Args: secret.Args(s.o.Args),
		Workers:  s.workers.Count,
		ExitCode: code, Passed: sum.Counts.Passed, Failed: sum.Counts.Failed, Skipped: sum.Counts.Skipped,
		Postgres: s.onlyVersion(),
	}
	for _, c := range calls {
		filter := c.Filter()
		for _, shard := range c.run.Shards {
			run.Shards = append(run.Shards, recordShard(shard, filter))
		}
	}
	return run
}

func recordShard(s *results.Shard, filter string) history.Shard {
	shard := history.Shard{
		Label: s.Label, Shard: s.Index, Shards: s.Total, Run: s.Run, Attempt: s.Attempt, Status: string(s.Status),
		Cached: s.Cached, Start: s.Start, End: s.End(), Seconds: s.Duration.Seconds(), Filter: filter,
		CPUSeconds: s.CPU.Seconds(),
	}
	for _, t := range s.Tests {
		shard.Tests = append(shard.Tests, recordTest(&t))
		for _, sub := range t.Subtests {
			shard.Tests = append(shard.Tests, recordTest(&sub))
		}
	}
	return shard
}

func recordTest(t *results.Test) history.Test {
	outcomes := map[results.Outcome]string{
		results.Passed: history.Passed, results.Failed: history.Failed, results.Skipped: history.Skipped,
	}
	return history.Test{
		Name: t.Name, Outcome: outcomes[t.Outcome], Seconds: t.Duration.Seconds(),
		CellSeconds: t.CellTime.Seconds(), WaitSeconds: t.WaitTime.Seconds(),
	}
}
