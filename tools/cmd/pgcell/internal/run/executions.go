package run

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/history"
	"github.com/pgcell/pgcell/tools/internal/spawns"
)

// executionLog is where Bazel writes the executions of the call whose events go to a file.
func executionLog(events string) string { return strings.TrimSuffix(events, ".json") + ".executions" }

// executionFlags have Bazel write a log of executions, for "pgcell explain"; none where Bazel is told elsewhere to write
// one, since it refuses to write two. (The compact log would be smaller, but Debian's Bazel lacks a library for it.)
func (s *session) executionFlags(events string) []string {
	if s.history == nil || s.logsElsewhere() {
		return nil
	}
	return []string{"--execution_log_binary_file=" + executionLog(events), "--noexecution_log_sort"}
}

// otherLog is a flag for a log of executions.
var otherLog = regexp.MustCompile(`--(experimental_)?execution_log_(binary|json|compact)_file`)

// logsElsewhere reports whether the user's flags, or the files that Bazel reads flags from, name a log of executions.
func (s *session) logsElsewhere() bool {
	if slices.ContainsFunc(s.o.Bazel, otherLog.MatchString) {
		return true
	}
	files := []string{filepath.Join(s.space.Root, ".bazelrc"), "/etc/bazel.bazelrc"}
	if home := s.Getenv("HOME"); home != "" {
		files = append(files, filepath.Join(home, ".bazelrc"))
	}
	for i := 0; i < len(files) && i < 20; i++ { // they may import each other
		text, err := os.ReadFile(files[i])
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			words := strings.Fields(line)
			if len(words) == 2 && (words[0] == "import" || words[0] == "try-import") {
				files = append(files, strings.ReplaceAll(words[1], "%workspace%", s.space.Root))
			} else if len(words) > 0 && !strings.HasPrefix(words[0], "#") && otherLog.MatchString(line) {
				return true
			}
		}
	}
	return false
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
