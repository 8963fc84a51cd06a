package run

import (
	"errors"
	"io/fs"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/history"
	"github.com/pgcell/pgcell/tools/internal/spawns"
)

// executionLog is where Bazel writes the executions of the call whose events go to a file.
func executionLog(events string) string { return strings.TrimSuffix(events, ".json") + ".executions" }

// executionFlags have Bazel write a log of executions, for "pgcell explain"; none where .pgcell.toml says that nobody wants
// one.
func (s *session) executionFlags(events string) []string {
	if s.history == nil || !s.o.Selection.KeepsExecutions() {
		return nil
	}
	return spawns.Flags(executionLog(events), append(s.bazel.Mentioned(), s.o.Bazel...))
}

// keepExecutions takes in what Bazel has written of the calls.
func (s *session) keepExecutions(calls []*call) {
	if s.history == nil {
		return
	}
	store, run := spawns.In(s.history.Dir()), spawns.Run{ID: history.ID(s.start), Start: s.start.UTC()}
	for _, c := range calls {
		err := store.Keep(c.executions, s.version(&c.Invocation), run)
		// Where Bazel was stopped, the log may not be whole, or not there.
		if err != nil && !errors.Is(err, fs.ErrNotExist) && c.finished != nil && !s.stopped {
			s.print.Line(`pgcell run: keep executions for "pgcell explain": %v`, err)
		}
	}
}
