package lend

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/pgcell/pgcell/tools/internal/peer"
	"github.com/pgcell/pgcell/tools/internal/source"
)

// controlName is the socket by which a process asks for a database of its own.
const controlName = "lend"

type question struct {
	What string // one of those below
	PID  int
}

// What can be asked for.
const (
	ofProcess  = "database"       // for the process that asks
	ofGroup    = "group database" // the same, see EnterGroup
	ofStartUp  = "start-up"       // see StartUp
	ofSessions = "sessions"       // see Sessions
)

type answer struct {
	Variables []Variable
	StartUp   time.Duration
	Sessions  []string
	Error     string
}

// answer makes the process that asks a unit, or says what it wants to know.
func (b *Broker) answer(conn net.Conn) {
	conn.SetDeadline(time.Now().Add(time.Minute))
	var q question
	if json.NewDecoder(conn).Decode(&q) != nil {
		return
	}
	var a answer
	var err error
	switch q.What {
	case ofStartUp:
		b.mu.Lock()
		a.StartUp = b.startUp
		b.mu.Unlock()
	case ofSessions:
		a.Sessions, err = b.sessions(q.PID)
	default:
		a.Variables, err = b.enter(conn, q)
	}
	if err != nil {
		a.Error = err.Error()
	}
	json.NewEncoder(conn).Encode(a)
}

// enter makes the process at the other end of a connection a unit.
func (b *Broker) enter(conn net.Conn, q question) ([]Variable, error) {
	pid, err := peer.Of(conn, os.Getpid()) // as this process sees it: the other may be in a namespace
	if err != nil {
		pid = q.PID
	}
	u, err := b.unit(pid, fmt.Sprintf("process %d", pid))
	if err != nil {
		return nil, err
	}
	u.isGroup.Store(q.What == ofGroup)
	return b.variables(b.connection(u)), nil
}

// sessions asks the server of a process for the sessions of its databases.
func (b *Broker) sessions(pid int) ([]string, error) {
	b.mu.Lock()
	u := b.byPID[pid]
	b.mu.Unlock()
	if u == nil {
		return nil, nil
	}
	names := u.names()
	if len(names) == 0 {
		return nil, nil
	}
	server, err := u.server()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return source.Sessions(ctx, server, b.config.User, names)
}

// Enter makes a process of this machine, below the command, a test process with a database of its own, and gives the
// variables that it needs. dir is what [DirVariable] says. Cost: below 1 ms; the database is made when it is connected to.
//
// Errors: the broker has ended.
func Enter(dir string, pid int) ([]Variable, error) {
	a, err := ask(dir, question{What: ofProcess, PID: pid})
	return a.Variables, err
}

// EnterGroup is Enter for a process that runs a group of test files. Workers that it starts, such as Jest's, have databases
// of their own.
func EnterGroup(dir string, pid int) ([]Variable, error) {
	a, err := ask(dir, question{What: ofGroup, PID: pid})
	return a.Variables, err
}

// StartUp gives the shortest time from the start of a group to its first connection; 0 if none has connected.
//
// Errors: the broker has ended.
func StartUp(dir string) (time.Duration, error) {
	a, err := ask(dir, question{What: ofStartUp})
	return a.StartUp, err
}

// Sessions says what the sessions of a test process do and wait for, a line for each; none if it has not connected.
//
// Errors: the broker has ended; the server does not answer within 10 s.
func Sessions(dir string, pid int) ([]string, error) {
	a, err := ask(dir, question{What: ofSessions, PID: pid})
	return a.Sessions, err
}

func ask(dir string, q question) (answer, error) {
	var a answer
	conn, err := net.DialTimeout("unix", filepath.Join(dir, controlName), 10*time.Second)
	if err != nil {
		return a, fmt.Errorf("ask pgcell exec for a %s: %w", q.What, err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	if err = json.NewEncoder(conn).Encode(q); err == nil {
		err = json.NewDecoder(conn).Decode(&a)
	}
	switch {
	case err != nil:
		return a, fmt.Errorf("ask pgcell exec for a %s: %w", q.What, err)
	case a.Error != "":
		return a, fmt.Errorf("ask pgcell exec for a %s: %s", q.What, a.Error)
	}
	return a, nil
}
