// Package gohook puts pgcell between "go test" and the test binaries that it runs, by -exec, so that each of them, or each
// process of a divided one, has a database of its own.
//
// Non-goals: to divide a binary, which is package divide's; to lend databases, which is package lend's.
package gohook

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/pgcell/pgcell/tools/internal/lend"
)

// Name is what go test finds this program under: see [Run].
const Name = "go-exec"

// Config says how the go command is to run below a command.
type Config struct {
	Dir    string       // of the broker; the hook is made there
	Divide *Divide      // how test binaries are divided; nil for not at all
	Warn   func(string) // is told what users should know
}

// Install prepares the go command, wherever it runs below the command: it starts each test binary by way of [Run]. A
// "go test -p 1" that is the command itself loses its -p 1, since packages have databases of their own. It gives the
// environment and the command to run.
func Install(c Config, environ, command []string) ([]string, []string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, nil, fmt.Errorf("find this program: %w", err)
	}
	hook := filepath.Join(c.Dir, Name)
	if err := os.Symlink(self, hook); err != nil {
		return nil, nil, fmt.Errorf("make a link for go test: %w", err)
	}
	flags, dropped := strings.Fields(goFlags(environ)), false
	flags = slices.DeleteFunc(flags, func(flag string) bool {
		one := flag == "-p=1" || flag == "--p=1"
		dropped = dropped || one
		return one
	})
	if slices.ContainsFunc(flags, func(flag string) bool { return strings.HasPrefix(strings.TrimLeft(flag, "-"), "exec=") }) {
		c.Warn("GOFLAGS has an -exec already, so the packages of go test are told apart by their processes alone" + c.undivided())
	} else {
		flags = append(flags, "-exec="+hook)
	}
	variables := []lend.Variable{{Name: "GOFLAGS", Value: strings.Join(flags, " ")}}
	if c.Divide != nil {
		variables = append(variables, lend.Variable{Name: divideVariable, Value: c.Divide.text()})
	}
	environ = lend.With(environ, variables)
	if filepath.Base(command[0]) == "go" && len(command) > 1 && command[1] == "test" {
		var also bool
		command, also = withoutP1(command)
		dropped = dropped || also
	}
	if dropped {
		c.Warn("left out -p 1 of go test: its packages run at once, each on a database of its own")
	}
	return environ, command, nil
}

// undivided is what a foreign -exec takes away.
func (c Config) undivided() string {
	if c.Divide == nil {
		return ""
	}
	return ", and their tests are not divided: remove it for --shards and --isolate"
}

// withoutP1 leaves "-p 1" out of the arguments of go test.
func withoutP1(command []string) (kept []string, dropped bool) {
	for i := 0; i < len(command); i++ {
		arg := command[i]
		if arg == "-args" || arg == "--args" {
			return append(kept, command[i:]...), dropped
		}
		switch flag := strings.TrimLeft(arg, "-"); {
		case flag == arg: // no flag
			kept = append(kept, arg)
		case flag == "p=1":
			dropped = true
		case flag == "p" && i+1 < len(command) && command[i+1] == "1":
			dropped = true
			i++
		default:
			kept = append(kept, arg)
		}
	}
	return kept, dropped
}

// goFlags gives GOFLAGS as the go command would read it: from the environment, else from the file of "go env -w".
func goFlags(environ []string) string {
	values := map[string]string{}
	for _, v := range environ {
		name, value, _ := strings.Cut(v, "=")
		values[name] = value
	}
	if flags, ok := values["GOFLAGS"]; ok && flags != "" {
		return flags
	}
	file := values["GOENV"]
	if file == "off" {
		return ""
	}
	if file == "" {
		dir, err := os.UserConfigDir()
		if err != nil {
			return ""
		}
		file = filepath.Join(dir, "go", "env")
	}
	text, _ := os.ReadFile(file) // most have none
	for line := range strings.Lines(string(text)) {
		if flags, ok := strings.CutPrefix(strings.TrimSpace(line), "GOFLAGS="); ok {
			return flags
		}
	}
	return ""
}

// failed is the exit code where the binary could not be run.
const failed = 125

// Run is what go test runs in place of a test binary: args are its path and its arguments. It gets the process a database
// of its own and becomes the binary, so that streams, signals and exit codes are the binary's; or it divides the binary's
// tests among processes. Programs of go run are run as they are. It returns where it could not, with the exit code.
func Run(args, environ []string, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprintln(stderr, "pgcell exec: this program is for go test -exec")
		return failed
	}
	path := args[0]
	if !filepath.IsAbs(path) && !strings.Contains(path, "/") {
		path = "./" + path
	}
	if dir := valueOf(environ, lend.DirVariable); dir != "" && slices.ContainsFunc(args[1:], isTestFlag) {
		if text := valueOf(environ, divideVariable); text != "" {
			return runDivided(text, dir, path, args[1:], stderr)
		}
		variables, err := lend.Enter(dir, os.Getpid())
		if err != nil {
			fmt.Fprintf(stderr, "pgcell exec: %v\n", err)
			return failed
		}
		environ = lend.With(environ, variables)
	}
	err := syscall.Exec(path, args, environ)
	fmt.Fprintf(stderr, "pgcell exec: run %s: %v\n", args[0], err)
	return failed
}

func isTestFlag(arg string) bool {
	return strings.HasPrefix(arg, "-test.") || strings.HasPrefix(arg, "--test.")
}

func valueOf(environ []string, name string) (value string) {
	for _, v := range environ {
		if key, is, _ := strings.Cut(v, "="); key == name {
			value = is
		}
	}
	return value
}
