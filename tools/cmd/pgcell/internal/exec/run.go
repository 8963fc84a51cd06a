package exec

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync/atomic"

	"github.com/pgcell/pgcell/tools/internal/cache"
	"github.com/pgcell/pgcell/tools/internal/child"
	"github.com/pgcell/pgcell/tools/internal/cli"
	"github.com/pgcell/pgcell/tools/internal/external"
	"github.com/pgcell/pgcell/tools/internal/gohook"
	"github.com/pgcell/pgcell/tools/internal/held"
	"github.com/pgcell/pgcell/tools/internal/lend"
	"github.com/pgcell/pgcell/tools/internal/netns"
	"github.com/pgcell/pgcell/tools/internal/split"
)

// session is one call.
type session struct {
	p        *cli.Process
	o        options
	dir      *held.Dir // for sockets; goes with this process, or with the next that starts
	password string
	made     template
	broker   *lend.Broker
	ended    atomic.Bool // the command has
}

// warn tells the user. What fails when the command has ended, such as a database's removal, is of no interest: the server
// goes with all that it has.
func (s *session) warn(text string) {
	if !s.ended.Load() {
		fmt.Fprintln(s.p.Stderr, "pgcell:", text)
	}
}

// run runs the command.
func run(p *cli.Process, o options, command []string) (err error) {
	parent := cache.SocketParent()
	if parent == "" {
		parent = "/tmp"
	}
	held.Sweep(parent)
	s := &session{p: p, o: o, password: rand.Text()}
	if s.dir, err = held.Make(parent); err != nil {
		return broken("%w", err)
	}
	watcher, err := child.StartWatcher(s.dir.Path(), s.mark())
	if err != nil {
		s.dir.Remove()
		return broken("start a process that cleans up where this one is killed: %w", err)
	}
	defer watcher.Dismiss()
	defer s.dir.Remove()
	c := lend.Config{
		Dir: s.dir.Path(), Start: s.start, Password: s.password, User: o.user, Database: o.database, Variables: o.variables,
		Runners: o.runners, Warn: s.warn, PerProcess: o.isolate == perProcess,
	}
	if o.server != "" {
		server, err := s.openServer(context.Background())
		if err != nil {
			return broken("%w", err)
		}
		defer server.Close(context.Background()) // where nobody has connected; else the broker does
		c.Server = func(context.Context) (*external.Server, error) { return server, nil }
	} else if s.made, err = s.template(context.Background(), o); err != nil {
		return broken("%w", err)
	}
	s.broker, err = lend.Open(c)
	if err != nil {
		return broken("%w", err)
	}
	defer s.broker.Close()
	defer s.removeFiles()
	if err := writeFiles(s.dir.Path(), o.files, s.broker.Connection()); err != nil {
		return err
	}
	hook := gohook.Config{Dir: s.dir.Path(), Divide: o.divided, Warn: s.warn}
	environ, command, err := gohook.Install(hook, s.broker.Environ(p.Env), command)
	if err != nil {
		return broken("%w", err)
	}
	if o.splits != nil {
		if command, err = split.Install(*o.splits, s.dir.Path()); err != nil {
			return broken("%w", err)
		}
	}
	err = s.runChild(command, environ)
	s.keepGroups()
	return err
}

func (s *session) removeFiles() {
	if err := RemoveFiles(s.dir.Path()); err != nil {
		fmt.Fprintln(s.p.Stderr, "pgcell: remove what --file wrote:", err)
	}
}

// mark is in the environment of all processes below the command.
func (s *session) mark() string { return lend.DirVariable + "=" + s.dir.Path() }

// runChild runs the command with this process's streams; the error has its exit code.
func (s *session) runChild(command, environ []string) error {
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = environ, os.Stdin, os.Stdout, os.Stderr
	var space *netns.Space
	start := func() (err error) {
		space, err = s.o.startAt(cmd, s.broker, s.broker.Connection())
		return err
	}
	code, err := child.Run(cmd, s.mark(), start, s.broker.Command)
	s.ended.Store(true)
	if space != nil {
		defer space.Close()
	}
	if space != nil && code != 0 {
		if hidden := space.DescribeHidden(); hidden != "" {
			fmt.Fprintln(s.p.Stderr, "pgcell:", hidden)
		}
	}
	var forbidden *netns.ForbiddenError
	if errors.As(err, &forbidden) {
		return broken("--at: %w", err)
	}
	if err != nil {
		return &cli.Error{Code: cmp.Or(code, failed), Err: fmt.Errorf("run %s: %w", command[0], err)}
	}
	return cli.Exit(code)
}
