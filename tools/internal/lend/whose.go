package lend

import (
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/peer"
	"github.com/pgcell/pgcell/tools/internal/process"
)

// find gives the unit behind a connection, and which of its databases is meant; 0 is one that is not pgcell's.
func (b *Broker) find(client net.Conn, database string) (u *Unit, n int, err error) {
	if suffix, ok := strings.CutPrefix(database, b.config.Database); ok {
		if n, ok := ordinal(suffix); ok {
			u, err := b.unitOf(client)
			return u, n, err
		}
	}
	named, n := b.named(database)
	if named != nil && named.isGroup.Load() { // workers that it has started know its names alone
		named.meet()
		if own, err := b.unitOf(client); err != nil || own != b.command {
			return own, n, err
		}
	}
	if named != nil {
		return named, n, nil
	}
	u, err = b.unitOf(client)
	return u, 0, err
}

// findAt is find for clients whose own database is called by a name that is written into the suite.
func (b *Broker) findAt(client net.Conn, asked, own string) (u *Unit, n int, err error) {
	if b.config.PerProcess { // names are real
		return b.find(client, asked)
	}
	if suffix, ok := strings.CutPrefix(asked, own); ok && own != "" {
		if n, ok := ordinal(suffix); ok {
			u, err := b.unitOf(client)
			return u, n, err
		}
	}
	if u, n, err = b.find(client, asked); err == nil && n == 0 && own == "" && asked != "postgres" && asked != "template1" {
		n = 1
	}
	return u, n, err
}

// named gives the unit that was told to use a name.
func (b *Broker) named(database string) (*Unit, int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if u := b.byName[database]; u != nil {
		return u, 1
	}
	if i := strings.LastIndexByte(database, '_'); i > 0 && b.byName[database[:i]] != nil {
		if n, ok := ordinal(database[i:]); ok {
			return b.byName[database[:i]], n
		}
	}
	return nil, 0
}

// unitOf finds the unit of the process at the other end of a connection.
func (b *Broker) unitOf(client net.Conn) (*Unit, error) {
	b.mu.Lock()
	command := b.command.pid
	b.mu.Unlock()
	pid, err := peer.Of(client, os.Getpid())
	if err != nil {
		return b.command, nil
	}
	at, runner := process.Worker(pid, command, b.config.Runners, b.knows)
	if at == 0 {
		return b.command, nil
	}
	return b.unit(at, fmt.Sprintf("process %d of %s", at, runner))
}

// knows reports whether a process has a unit.
func (b *Broker) knows(pid int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.byPID[pid] != nil
}

// ordinal reads what follows a database's name: "" is its first, "_2" its second.
func ordinal(suffix string) (n int, ok bool) {
	if suffix == "" {
		return 1, true
	}
	digits, found := strings.CutPrefix(suffix, "_")
	n, err := strconv.Atoi(digits)
	return n, found && err == nil && n >= 2 && strconv.Itoa(n) == digits
}
