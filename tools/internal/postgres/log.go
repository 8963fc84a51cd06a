package postgres

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/keeper"
)

// LogSize is the size of the server's log, in bytes; 0 where there is none. Cost: 1 µs.
func (s *Server) LogSize() int64 {
	size, err := s.log.Seek(0, io.SeekEnd)
	if err != nil {
		return 0
	}
	return size
}

// LogOf gives the lines of the server's log, from an offset in bytes on, that hold one of some words, and those that go
// on from them; the last ones, at most about limit bytes.
func (s *Server) LogOf(from, limit int64, words ...string) string {
	text, err := os.ReadFile(filepath.Join(s.dir.Path(), keeper.ServerLog))
	if err != nil {
		return ""
	}
	text = text[min(from, int64(len(text))):]
	has := func(line string) bool {
		return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(line, word) })
	}
	var lines []string
	with := false
	for _, line := range strings.SplitAfter(string(text), "\n") {
		if !strings.HasPrefix(line, "\t") { // else it goes on from the line before
			with = has(line)
		}
		if with {
			lines = append(lines, line)
		}
	}
	size, first := 0, len(lines)
	for first > 0 && size+len(lines[first-1]) <= int(limit) {
		first--
		size += len(lines[first])
	}
	return strings.Join(lines[first:], "")
}

// FullSince says, to people, that the memory in which the data lies has been full since the log had from bytes; "" where
// it has not. An aborted statement gives back what it took, so that [Server.Free] may see nothing of it any more.
func (s *Server) FullSince(from int64) string {
	if !s.InMemory() || s.LogOf(from, 8<<10, "No space left on device", "Check free disk space") == "" {
		return ""
	}
	return fmt.Sprintf("the server's %s, was full while the test ran: set PGCELL_STORAGE=disk", s.Storage())
}
