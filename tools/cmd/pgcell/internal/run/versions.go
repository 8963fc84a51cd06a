package run

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kballard/go-shellquote"

	"github.com/pgcell/pgcell/tools/internal/bazel"
	"github.com/pgcell/pgcell/tools/internal/cli"
	"github.com/pgcell/pgcell/tools/internal/history"
	"github.com/pgcell/pgcell/tools/internal/label"
	"github.com/pgcell/pgcell/tools/internal/results"
	"github.com/pgcell/pgcell/tools/internal/selection"
)

// narrow chooses among the tests of planned calls, for each PostgreSQL.
func (s *session) narrow(planned []selection.Invocation) (calls []selection.Invocation, chosen []selection.Chosen, err error) {
	o := &s.o.Selection
	versions := s.versions()
	selector := selection.Selector{Options: o, Space: s.space, Bazel: s.client(versions[0]), Messages: s.bar.Messages()}
	remembered := false
	if o.LastFailed || o.FailedFirst {
		if remembered, err = s.recall(&selector, planned); err != nil {
			return nil, nil, err
		}
	}
	if !remembered || o.CollectOnly {
		versions = versions[:1]
	}
	var none error
	for _, version := range versions {
		failed := s.lastFailed(version)
		if remembered && o.LastFailed && len(failed) == 0 {
			continue // the others have all of them
		}
		selector.Failed = failed
		part, those, err := selector.Narrow(planned)
		var exit *cli.Error
		switch {
		case errors.As(err, &exit) && exit.Code == cli.NoTests && len(versions) > 1:
			none = err
			continue
		case err != nil:
			return nil, nil, err
		}
		for _, inv := range part {
			inv.Postgres = version
			calls = append(calls, inv)
		}
		chosen = append(chosen, those...)
	}
	if len(calls) == 0 && none != nil {
		return nil, nil, none
	}
	if !remembered {
		calls = s.repeat(calls)
	}
	return calls, chosen, nil
}

// versions gives the values of --postgres; an empty one if there are none.
func (s *session) versions() []string {
	if len(s.o.Postgres) == 0 {
		return []string{""}
	}
	return s.o.Postgres
}

// onlyVersion gives the value of --postgres if it is one version, which results do not name; empty otherwise.
func (s *session) onlyVersion() string {
	if len(s.o.Postgres) != 1 {
		return ""
	}
	return s.o.Postgres[0]
}

// repeat gives the calls for each PostgreSQL, one after the other: Bazel analyses the workspace anew for another one.
func (s *session) repeat(planned []selection.Invocation) []selection.Invocation {
	var calls []selection.Invocation
	for _, version := range s.versions() {
		for _, inv := range planned {
			inv.Postgres = version
			calls = append(calls, inv)
		}
	}
	return calls
}

// version is the PostgreSQL of a call as results name it: empty if there is only one.
func (s *session) version(inv *selection.Invocation) string {
	if len(s.o.Postgres) < 2 {
		return ""
	}
	return inv.Postgres
}

// recall reports whether tests are known that failed with the PostgreSQLs of this run, and says what else is known.
// Targets that are gone are forgotten.
func (s *session) recall(selector *selection.Selector, planned []selection.Invocation) (bool, error) {
	if len(s.last) > 0 {
		selector.Failed = s.last
		gone, err := selector.Gone(planned)
		if err != nil {
			return false, err
		}
		s.forget(gone)
	}
	versions := s.versions()
	others := ""
	for _, other := range history.Versions(s.last) {
		again := []string{"--lf"}
		if slices.Contains(versions, other) {
			continue
		}
		if others = " with this PostgreSQL"; other != "" {
			again = append(again, "--postgres", other)
		}
		s.print.Line("tests failed with another PostgreSQL: to run them: %s %s", s.RunCommand(), shellquote.Join(again...))
	}
	for _, version := range versions {
		if len(s.lastFailed(version)) > 0 {
			return true, nil
		}
	}
	s.print.Line("no failed tests are known%s: running all", others)
	return false, nil
}

// forget takes targets that are gone out of what failed.
func (s *session) forget(gone []string) {
	if len(gone) == 0 {
		return
	}
	s.last = slices.DeleteFunc(s.last, func(id history.TestID) bool { return slices.Contains(gone, label.Bare(id.Label)) })
	s.print.Line("failed, but no longer there: %s", strings.Join(gone, ", "))
	_ = s.history.Forget(gone) // where it cannot be written, the next run says the same
}

// lastFailed gives what failed when it last ran with a PostgreSQL, by label.
func (s *session) lastFailed(version string) []history.TestID {
	return history.FailedWith(s.last, version)
}

// client is the Bazel for a PostgreSQL.
func (s *session) client(version string) *bazel.Client {
	client := *s.bazel
	if filepath.IsAbs(version) {
		client.Env = append(slices.Clip(client.Env), "PGCELL_POSTGRES="+version) // read by the module extension postgres
	}
	return &client
}

// versioned names the target of an event with a version.
func versioned(e bazel.Event, version string) {
	if name := e.Label(); name != nil && *name != "" {
		*name = label.Versioned(*name, version)
	}
}

// keptDir is where the log and the outputs of a failed shard are kept, for the next PostgreSQL's go where Bazel has put
// them; empty if no further one overwrites them.
func (s *session) keptDir(c *call, shard *results.Shard) string {
	version := s.version(&c.Invocation)
	if s.history == nil || version == "" || version == s.o.Postgres[len(s.o.Postgres)-1] {
		return ""
	}
	return s.history.LogDir(version, shard.String())
}

// keepOutputs copies the log and the outputs of a failed shard. What cannot be copied is named where it is.
func (s *session) keepOutputs(c *call, shard *results.Shard) {
	dir := s.keptDir(c, shard)
	if dir == "" || shard.OK() || shard.Log == "" {
		return
	}
	from := filepath.Dir(shard.Log)
	if err := errors.Join(os.RemoveAll(dir), os.CopyFS(dir, os.DirFS(from))); err != nil {
		reason, _, _ := strings.Cut(err.Error(), "\n")
		s.print.Line("the next PostgreSQL's run may overwrite the log of %s: cannot copy it: %s", shard, reason)
		return
	}
	shard.Log = filepath.Join(dir, filepath.Base(shard.Log))
	if below, ok := strings.CutPrefix(shard.Outputs, from); ok {
		shard.Outputs = filepath.Join(dir, below)
	}
}
