// Package split divides test files among processes of a command, such as "npx mocha {}", each with a database of its own.
//
// Goals: any test runner that takes names of files; the longest files first, by recorded times; output that can be read; an
// exit code that says whether all have passed. Non-goals: to know the runners' output; to divide what is in a file; Go's test
// binaries, which package divide divides.
package split

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/pgcell/pgcell/tools/internal/child"
	"github.com/pgcell/pgcell/tools/internal/lend"
	"github.com/pgcell/pgcell/tools/internal/workspace"
)

// The names that this program is called by to run [Run] and [RunGroup].
const (
	Name      = "split-files"
	GroupName = "split-group"
)

// Config says what is divided.
type Config struct {
	Files   []string // see Files
	Command []string // with places for files: see Check
	Shards  int      // processes at once; 0 for as many as pay
	Times   string   // directory of recorded times; empty for none
	Again   string   // what comes before a command in a message that says how to run it again
}

// configFile holds a Config, in the broker's directory.
const configFile = "split.json"

// Files gives the files that patterns match, each once, sorted, relative to the working directory where they are below it.
//
// Errors: a pattern matches none.
func Files(patterns []string) ([]string, error) {
	cwd, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	var all []string
	for _, pattern := range patterns {
		files, err := workspace.Match(pattern)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if len(files) == 0 {
			return nil, fmt.Errorf("no file in %s matches %s; ** stands for any number of directories", cwd, pattern)
		}
		for _, file := range files {
			if below, err := filepath.Rel(cwd, file); err == nil && filepath.IsAbs(file) && filepath.IsLocal(below) {
				file = below
			}
			all = append(all, file)
		}
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// Install gives the command that divides the files: this program, called as [Name]. dir is the broker's directory.
func Install(c Config, dir string) ([]string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	text, err := json.Marshal(c)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, configFile), text, 0o600)
	}
	for _, name := range []string{Name, GroupName} {
		if err == nil {
			err = os.Symlink(self, filepath.Join(dir, name))
		}
	}
	if err != nil {
		return nil, fmt.Errorf("prepare to divide files: %w", err)
	}
	return []string{filepath.Join(dir, Name)}, nil
}

// failed is the exit code where no command could be run.
const failed = 125

// Run is what a program called as [Name] does: it runs the groups. It does not return where a signal has ended them.
func Run(getenv func(string) string, stdout, stderr io.Writer) int {
	dir := getenv(lend.DirVariable)
	var c Config
	text, err := os.ReadFile(filepath.Join(dir, configFile))
	if err == nil {
		err = json.Unmarshal(text, &c)
	}
	if err != nil {
		fmt.Fprintf(stderr, "pgcell exec: read what to divide: %v\n", err)
		return failed
	}
	if _, err := exec.LookPath(c.Command[0]); err != nil {
		fmt.Fprintf(stderr, "pgcell exec: run %s: %v\n", c.Command[0], err)
		return cmp.Or(child.NotExecuted(err), failed)
	}
	r := newRun(c, dir, stdout, stderr)
	code, sig := r.all()
	child.End(code, sig)
	return code
}

// RunGroup is what a program called as [GroupName] does: it gets the process a database of its own, and becomes the command
// that its arguments say. It returns where it could not, with the exit code.
func RunGroup(args, environ []string, stderr io.Writer) int {
	dir := ""
	for _, v := range environ {
		if value, ok := strings.CutPrefix(v, lend.DirVariable+"="); ok {
			dir = value
		}
	}
	variables, err := lend.EnterGroup(dir, os.Getpid())
	if err == nil {
		var path string
		if path, err = exec.LookPath(args[0]); err == nil {
			err = syscall.Exec(path, args, lend.With(environ, variables))
		}
	}
	fmt.Fprintf(stderr, "pgcell exec: run %s: %v\n", args[0], err)
	return failed
}
