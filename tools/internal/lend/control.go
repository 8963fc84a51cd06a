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

type question struct{ PID int }

type answer struct {
	Variables []Variable
	Error     string
}

// answer makes the process that asks a unit.
func (b *Broker) answer(conn net.Conn) {
	conn.SetDeadline(time.Now().Add(time.Minute))
	var q question
	if json.NewDecoder(conn).Decode(&q) != nil {
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
		a.Variables = b.variables(b.connection(u))
	}
	json.NewEncoder(conn).Encode(a)
}

// Enter makes a process of this machine, below the command, a test process with a database of its own, and gives the
// variables that it needs. dir is what [DirVariable] says. Cost: below 1 ms; the database is made when it is connected to.
//
// Errors: the broker has ended.
func Enter(dir string, pid int) ([]Variable, error) {
	conn, err := net.DialTimeout("unix", filepath.Join(dir, controlName), 10*time.Second)
	if err != nil {
		return nil, fmt.Errorf("ask pgcell exec for a database: %w", err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	var a answer
	if err = json.NewEncoder(conn).Encode(question{pid}); err == nil {
		err = json.NewDecoder(conn).Decode(&a)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("ask pgcell exec for a database: %w", err)
	case a.Error != "":
		return nil, fmt.Errorf("ask pgcell exec for a database: %s", a.Error)
	}
	return a.Variables, nil
}
