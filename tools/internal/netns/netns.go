// Package netns runs a command in a network namespace of its own, and serves the addresses there from outside.
//
// A program that has localhost:5432 written into it connects to whoever listens there. In a network namespace of its own
// that is a listener of the caller's, though other programs use the same address at the same time. No root is needed:
// the command is also put into a user namespace, in which its user keeps his id. Its process ids, terminal, signals and
// files are what they were.
//
// Goals: exact addresses, also of names such as db:5432, over IPv4 and IPv6; ports of the host by request; errors that
// say what forbids namespaces here. Non-goals: a way out to the internet, and UDP.
package netns

import (
	"context"
	"fmt"
	"net"
	"os/exec"
)

// Config is what a namespace has.
type Config struct {
	// Serve are the addresses at which the caller serves clients inside.
	Serve []Address
	// Forward are addresses inside that lead to the same address outside.
	Forward []Address
}

// Space is a network namespace with a command in it.
type Space struct {
	// Served are the listeners for each address of Config.Serve, in order: one, or two where it means IPv4 and IPv6.
	Served [][]net.Listener

	config     Config
	forwarders []net.Listener
	targets    []Address // of forwarders
}

// Start starts a command in a network namespace of its own, in place of cmd.Start; wait for it with cmd.Wait. It returns
// when the namespace is ready and the command runs in it. It changes cmd.Path, Args, ExtraFiles and SysProcAttr, so that
// this program is executed first, which must call [Become] at its start, and becomes the command; what cmd.ExtraFiles
// held the command has as before. Unless cmd.SysProcAttr says otherwise, the command gets SIGKILL when the thread that
// called Start ends, so lock the goroutine to its thread (runtime.LockOSThread) until the command has ended.
//
// If this system does not allow it, the error is a [*ForbiddenError]. If the command cannot be executed, it is that of
// cmd.Start. Close the Space after the command has ended. Cost: 10 ms.
func Start(ctx context.Context, cmd *exec.Cmd, c Config) (*Space, error) {
	names, err := place(c)
	if err != nil {
		return nil, err
	}
	s, err := start(ctx, cmd, c, names)
	if err != nil {
		return nil, err
	}
	for i, l := range s.forwarders {
		go forward(l, s.targets[i])
	}
	return s, nil
}

// Become turns this process into the command, and never returns, where [Start] executed it for that; elsewhere it does
// nothing. Call it first in main, and in TestMain of tests that call Start.
func Become() { become() }

// Close ends the listeners, and with them the namespace once no process is in it.
func (s *Space) Close() {
	for _, all := range append(s.Served, s.forwarders) {
		for _, l := range all {
			l.Close()
		}
	}
}

// ForbiddenError says that a namespace cannot be made here.
type ForbiddenError struct {
	Err    error  // what the system said, and at which step
	Reason string // what forbids it, where that is known
	Remedy string // what to do
}

func (e *ForbiddenError) Error() string {
	text := fmt.Sprintf("make a network namespace: %v", e.Err)
	if e.Reason != "" {
		text += ": " + e.Reason
	}
	return text + "; " + e.Remedy
}

func (e *ForbiddenError) Unwrap() error { return e.Err }

// Alternatives is what always helps where namespaces do not.
const Alternatives = "or do without: have the tests read DATABASE_URL or PGHOST, or write their configuration file with --file"
