package gohook

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/divide"
	"github.com/pgcell/pgcell/tools/internal/lend"
)

// Divide says how the tests of each binary are divided among processes.
type Divide struct {
	Shards   int        // processes of a binary at once; 0 for as many as pay
	Each     bool       // each top-level test in a process of its own
	Suites   bool       // divide the subtests of tests too
	Groups   [][]string // tests that stay in one process
	Diagnose bool       // run failed tests again, to find those that depend on others
	Times    string     // directory of recorded times; empty for none
}

// divideVariable tells the hook of a Divide. The processes of a divided binary, which the hook starts by way of itself,
// have it empty.
const divideVariable = "PGCELL_EXEC_DIVIDE"

// groupsFile is where hooks leave the groups that a diagnosis found, in the broker's directory.
const groupsFile = "groups"

func (d *Divide) text() string {
	text, err := json.Marshal(d)
	if err != nil {
		panic("gohook: a Divide cannot be written as JSON: " + err.Error())
	}
	return string(text)
}

// runDivided runs a binary's tests in several processes.
func runDivided(text, dir, path string, args []string, stderr io.Writer) int {
	var d Divide
	if err := json.Unmarshal([]byte(text), &d); err != nil {
		fmt.Fprintf(stderr, "pgcell exec: read %s=%s: %v\n", divideVariable, text, err)
		return failed
	}
	c := divide.Config{
		Binary: path, Args: args, Launcher: []string{filepath.Join(dir, Name)},
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Shards: d.Shards, Each: d.Each, Suites: d.Suites, Groups: d.Groups, Times: d.Times,
		Env:   func(int) ([]string, func(), error) { return []string{divideVariable + "="}, nil, nil },
		Waits: func(pid int) string { return waits(dir, pid) },
	}
	result, err := divide.Run(context.Background(), c)
	if err != nil {
		fmt.Fprintf(stderr, "pgcell exec: %v\n", err)
	}
	if d.Diagnose && result.Signal == nil && len(result.Failed) > 0 {
		if err := diagnose(c, dir, result.Failed, stderr); err != nil {
			fmt.Fprintf(stderr, "pgcell exec: %v\n", err)
		}
	}
	result.End()
	return failed
}

// waits says what the sessions of a process wait for.
func waits(dir string, pid int) string {
	sessions, err := lend.Sessions(dir, pid)
	if err != nil {
		return err.Error()
	}
	if len(sessions) == 0 {
		return ""
	}
	return "its sessions on the server:\n  " + strings.Join(sessions, "\n  ")
}

// diagnose says what the failed tests depend on, and leaves the groups for [Groups].
func diagnose(c divide.Config, dir string, failed []string, stderr io.Writer) error {
	findings, err := divide.Diagnose(context.Background(), c, failed)
	for _, f := range findings {
		fmt.Fprintln(stderr, "pgcell:", f)
		if f.Group() == nil {
			continue
		}
		file, err := os.OpenFile(filepath.Join(dir, groupsFile), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(file, strings.Join(f.Group(), ","))
		if err := file.Close(); err != nil {
			return err
		}
		if err != nil {
			return err
		}
	}
	return err
}

// Groups gives the groups that hooks have found, each with commas between its tests. dir is the broker's.
func Groups(dir string) []string {
	text, _ := os.ReadFile(filepath.Join(dir, groupsFile)) // there is none where nothing was found
	return strings.Fields(string(text))
}
