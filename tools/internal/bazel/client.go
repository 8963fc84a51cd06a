// Package bazel finds Bazel, calls it, and reads what it says: messages, the answers of queries, and the Build Event
// Protocol in its JSON form, while Bazel still writes it.
//
// Goals: a typed view of the few events that a test command needs; no protobuf; no event is ever fatal, because every
// Bazel release adds some. Non-goals: the whole protocol, its binary form, a Build Event Service; which flags a test
// run needs.
package bazel

import (
	"context"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/pgcell/pgcell/tools/internal/cli"
)

// Exit codes of Bazel, https://bazel.build/run/scripts#exit-codes
const (
	ExitOK          = 0
	ExitBuildFailed = 1
	ExitUsage       = 2
	ExitTestsFailed = 3
	ExitNoTests     = 4
	ExitInterrupted = 8
	ExitLocked      = 9
)

// Client calls Bazel in one workspace.
type Client struct {
	Program string   // of Bazel
	Root    string   // of the workspace
	Env     []string // for Bazel
	NoWait  bool     // fail if another command holds Bazel's lock, in place of waiting for it
}

// NewClient looks for the Bazel to call in a workspace: the program that PGCELL_BAZEL names, bazelisk or bazel on PATH,
// or the workspace's tools/bazel, in this order. PATH comes before tools/bazel because Bazelisk calls tools/bazel
// itself.
func NewClient(p *cli.Process, root string) (*Client, error) {
	program, err := find(p, root)
	if err != nil {
		return nil, err
	}
	c := &Client{Program: program, Root: root}
	for _, e := range p.Env { // without what "bazel run" set for this command
		if !strings.HasPrefix(e, "BUILD_WORKING_DIRECTORY=") && !strings.HasPrefix(e, "BUILD_WORKSPACE_DIRECTORY=") {
			c.Env = append(c.Env, e)
		}
	}
	return c, nil
}

// Version asks Bazel for its version; it gives the last line that it prints.
func (c *Client) Version(ctx context.Context) (string, error) {
	cmd := c.command(ctx, []string{"--version"})
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s --version: %w", c.Program, err)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	return strings.TrimSpace(lines[len(lines)-1]), nil
}

// command prepares a call; a startup option comes before its arguments.
func (c *Client) command(ctx context.Context, args []string) *exec.Cmd {
	if c.NoWait {
		args = slices.Insert(slices.Clone(args), 0, "--noblock_for_lock")
	}
	cmd := exec.CommandContext(ctx, c.Program, args...)
	cmd.Dir, cmd.Env = c.Root, c.Env
	return cmd
}
