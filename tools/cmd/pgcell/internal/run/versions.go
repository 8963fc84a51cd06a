package run

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

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
	remembered := (o.LastFailed || o.FailedFirst) && slices.ContainsFunc(versions, func(v string) bool {
		return len(s.lastFailed(v)) > 0
	})
	if (o.LastFailed || o.FailedFirst) && !remembered {
		s.print.Line("no failed tests are known: running all")
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
		selector := selection.Selector{
			Options: o, Space: s.space, Bazel: s.client(version), Failed: failed, Messages: s.bar.Messages(),
		}
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

// lastFailed gives what failed when it last ran with a PostgreSQL, by label. In a run with one PostgreSQL the failures of
// all count.
func (s *session) lastFailed(version string) []history.TestID {
	var failed []history.TestID
	for _, id := range s.last {
		bare, was := label.Cut(id.Label)
		if len(s.o.Postgres) < 2 || was == "" || was == version {
			failed = append(failed, history.TestID{Label: bare, Name: id.Name})
		}
	}
	return failed
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
	var name *string
	switch {
	case e.Configured != nil:
		name = &e.Configured.Label
	case e.Target != nil:
		name = &e.Target.Label
	case e.Result != nil:
		name = &e.Result.Label
	case e.Summary != nil:
		name = &e.Summary.Label
	case e.Aborted != nil:
		name = &e.Aborted.Label
	}
	if name != nil && *name != "" {
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
	return filepath.Join(s.history.Dir(), "logs", fileName(version), fileName(shard.String()))
}

// keepOutputs copies the log and the outputs of a failed shard. What cannot be copied is named where it is.
func (s *session) keepOutputs(c *call, shard *results.Shard) {
	dir := s.keptDir(c, shard)
	if dir == "" || shard.OK() || shard.Log == "" {
		return
	}
	from := filepath.Dir(shard.Log)
	if os.RemoveAll(dir) != nil || os.CopyFS(dir, os.DirFS(from)) != nil {
		return
	}
	shard.Log = filepath.Join(dir, filepath.Base(shard.Log))
	if below, ok := strings.CutPrefix(shard.Outputs, from); ok {
		shard.Outputs = filepath.Join(dir, below)
	}
}

// fileName makes a file's name of a text.
func fileName(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '.' || r == '-' || unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return '_'
	}, text)
}
