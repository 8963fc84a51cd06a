package exec

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"sync/atomic"

	"github.com/pgcell/pgcell/tools/internal/cache"
	"github.com/pgcell/pgcell/tools/internal/cli"
	"github.com/pgcell/pgcell/tools/internal/lend"
	"github.com/pgcell/pgcell/tools/internal/postgres"
)

// session is one call.
type session struct {
	p        *cli.Process
	o        options
	dir      *postgres.HeldDir // for sockets; goes with this process, or with the next that starts
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

// newName is the name of a database that nobody has yet.
func newName() string {
	var id [4]byte
	rand.Read(id[:])
	return "test_db_spare_" + hex.EncodeToString(id[:])
}

// run runs the command.
func run(p *cli.Process, o options, command []string) (err error) {
	parent := cache.SocketParent()
	if parent == "" {
		parent = "/tmp"
	}
	postgres.Sweep(parent)
	s := &session{p: p, o: o, password: rand.Text()}
	if s.dir, err = postgres.HoldDir(parent); err != nil {
		return broken("%w", err)
	}
	defer s.dir.Remove()
	if s.made, err = s.template(context.Background(), o); err != nil {
		return broken("%w", err)
	}
	s.broker, err = lend.Open(lend.Config{
		Dir: s.dir.Path(), Start: s.start, Password: s.password, User: o.user, Database: o.database, Variables: o.variables,
		Warn: s.warn,
	})
	if err != nil {
		return broken("%w", err)
	}
	defer s.broker.Close()
	restore, err := writeFiles(o.files, s.broker.Connection())
	if err != nil {
		return err
	}
	defer restore(s.warn)
	environ, command, err := s.forGo(s.broker.Environ(p.Env), command)
	if err != nil {
		return broken("%w", err)
	}
	return s.runChild(command, environ)
}

// exit makes the exit code of a command that has ended this process's own.
func exit(state *os.ProcessState) error {
	return cli.Exit(code(state))
}
