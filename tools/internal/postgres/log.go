package postgres

import (
	"context"
	"os"
	"path/filepath"
	"strings"
)

// LogOf gives the lines of the server's log that hold a word, and those that go on from them; the last ones, at most
// about limit bytes.
func (s *Server) LogOf(word string, limit int64) string {
	text, err := os.ReadFile(filepath.Join(s.dir.path, serverLog))
	if err != nil {
		return ""
	}
	var lines []string
	with := false
	for _, line := range strings.SplitAfter(string(text), "\n") {
		if !strings.HasPrefix(line, "\t") { // else it goes on from the line before
			with = strings.Contains(line, word)
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

// Linger has the server stay when the process that started it ends, until somebody removes [Server.SocketDir]. (A
// signal will not do: in a sandbox processes have other numbers.) The keeper holds the standard error of this process
// open: go test, and Bazel's wrapper of a test, wait for it.
//
// Errors: why the server has ended, where it has.
func (s *Server) Linger(ctx context.Context) error {
	_, err := s.request(ctx, opLinger)
	return err
}
