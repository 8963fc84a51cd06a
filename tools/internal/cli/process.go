// Package cli holds what the subcommands share: the process's streams, environment and clock, its exit codes, and the
// errors that carry one.
package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// Process is what the operating system gives a command.
type Process struct {
	Stdout, Stderr io.Writer
	Env            []string         // as os.Environ gives it
	Now            func() time.Time // the clock
}

// Getenv gives the last value of name in the environment, and "" where it is not set.
func (p *Process) Getenv(name string) string {
	for i := len(p.Env) - 1; i >= 0; i-- {
		if key, value, _ := strings.Cut(p.Env[i], "="); key == name {
			return value
		}
	}
	return ""
}

// RunCommand gives the words by which the user runs tests, for lines to copy.
func (p *Process) RunCommand() string {
	if name := p.Getenv("PGCELL_CALLED_AS"); name != "" { // set by run_tests.sh
		return name
	}
	return "pgcell run"
}

// TempDir gives the directory for temporary files.
func (p *Process) TempDir() string {
	if dir := p.Getenv("TMPDIR"); dir != "" {
		return dir
	}
	return os.TempDir()
}

// Plural gives a count with its noun: "1 test", "2 tests".
func Plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
