package lend

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/pgcell/pgcell/tools/internal/peer"
)

// controlName is the socket by which a process asks for a database of its own.
const controlName = "lend"

type question struct {
	PID   int
	Group bool // the process runs a group of files: see EnterGroup
	Start bool // how long groups take to start is asked, and no database
}

type answer struct {
	Variables []Variable
	StartUp   time.Duration
	Error     string
}

// answer makes the process that asks a unit, or says what it wants to know.
func (b *Broker) answer(conn net.Conn) {
	conn.SetDeadline(time.Now().Add(time.Minute))
	var q question
	if json.NewDecoder(conn).Decode(&q) != nil {
		return
	}
	if q.Start {
		b.mu.Lock()
		a := answer{StartUp: b.startUp}
		b.mu.Unlock()
		json.NewEncoder(conn).Encode(a)
		return
	}
	pid, err := peer.Of(conn, os.Getpid()) // as this process sees it: the other may be in a namespace
	if err != nil {
		pid = q.PID
	}
	var a answer
	if u, err := b.unit(pid, fmt.Sprintf("process %d", pid)); err != nil {
		a.Error = err.Error()
	} else {
		u.isGroup.Store(q.Group)
		a.Variables = b.variables(b.connection(u))
	}
	json.NewEncoder(conn).Encode(a)
}

// Enter makes a process of this machine, below the command, a test process with a database of its own, and gives the
// variables that it needs. dir is what [DirVariable] says. Cost: below 1 ms; the database is made when it is connected to.
//
// Errors: the broker has ended.
func Enter(dir string, pid int) ([]Variable, error) {
	a, err := ask(dir, question{PID: pid})
	return a.Variables, err
}

// EnterGroup is Enter for a process that runs a group of test files. Workers that it starts, such as Jest's, have databases
// of their own.
func EnterGroup(dir string, pid int) ([]Variable, error) {
	a, err := ask(dir, question{PID: pid, Group: true})
	return a.Variables, err
}

// StartUp gives the shortest time from the start of a group to its first connection; 0 if none has connected.
//
// Errors: the broker has ended.
func StartUp(dir string) (time.Duration, error) {
	a, err := ask(dir, question{Start: true})
	return a.StartUp, err
}

func ask(dir string, q question) (answer, error) {
	var a answer
	conn, err := net.DialTimeout("unix", filepath.Join(dir, controlName), 10*time.Second)
	if err != nil {
		return a, fmt.Errorf("ask pgcell exec for a database: %w", err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	if err = json.NewEncoder(conn).Encode(q); err == nil {
		err = json.NewDecoder(conn).Decode(&a)
	}
	switch {
	case err != nil:
		return a, fmt.Errorf("ask pgcell exec for a database: %w", err)
	case a.Error != "":
		return a, fmt.Errorf("ask pgcell exec for a database: %s", a.Error)
	}
	return a, nil
}
