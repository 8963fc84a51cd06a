package lend

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pgcell/pgcell/tools/internal/process"
	"github.com/pgcell/pgcell/tools/internal/source"
)

const (
	databasePrefix = "test_db_"
	tablePrefix    = "test_table_"
)

// patience bounds how long a client waits for its database.
const patience = 2 * time.Minute

// Unit is a test process and its databases.
type Unit struct {
	broker *Broker
	worker string // "w0"; "master" for the command as a whole
	number int    // of the worker; -1 for the command
	name   string // of its first database; further ones end in _2, _3
	id     string // <worker>_<id>
	what   string // for messages
	pid    int

	host    host        // of its own, see [Config.PerProcess]
	isGroup atomic.Bool // see EnterGroup
	begun   time.Time
	met     sync.Once // it has connected

	mu        sync.Mutex
	ended     bool
	databases map[int]*database
	conns     map[net.Conn]bool // to the server
	relays    sync.WaitGroup
}

// database is one that is being made, or has been.
type database struct {
	once sync.Once
	made atomic.Bool // loan is there
	loan source.Loan
	err  error
}

func (b *Broker) newUnit(worker string) *Unit {
	var random [4]byte
	rand.Read(random[:])
	id := worker + "_" + hex.EncodeToString(random[:])
	u := &Unit{
		broker: b, worker: worker, number: -1, id: id, name: databasePrefix + id, what: "the command", begun: time.Now(),
		databases: map[int]*database{}, conns: map[net.Conn]bool{},
	}
	b.byName[u.name] = u
	return u
}

// unit gives the unit of a process that is a test process, and makes one where it has none yet.
//
// Errors: the process has ended.
func (b *Broker) unit(pid int, what string) (*Unit, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if u := b.byPID[pid]; u != nil {
		return u, nil
	}
	end, err := process.Watch(pid)
	if err != nil {
		return nil, fmt.Errorf("watch process %d: %w", pid, err)
	}
	n := 0
	for b.workers[n] {
		n++
	}
	b.workers[n] = true
	u := b.newUnit("w" + strconv.Itoa(n))
	u.pid, u.number, u.what = pid, n, what
	b.byPID[pid] = u
	b.serving.Go(func() {
		end()
		u.end()
	})
	return u, nil
}

// meet notes the first connection of a group.
func (u *Unit) meet() {
	u.met.Do(func() {
		b := u.broker
		b.mu.Lock()
		defer b.mu.Unlock()
		if took := time.Since(u.begun); b.startUp == 0 || took < b.startUp {
			b.startUp = took
		}
	})
}

// end gives the databases of a process back that has ended.
func (u *Unit) end() {
	b := u.broker
	b.mu.Lock()
	delete(b.byPID, u.pid)
	delete(b.byName, u.name)
	delete(b.workers, u.number)
	closed := b.closed
	b.mu.Unlock()
	u.mu.Lock()
	u.ended = true
	for conn := range u.conns {
		conn.Close()
	}
	u.mu.Unlock()
	u.relays.Wait()
	if closed { // the server goes with all that is on it
		return
	}
	for _, d := range u.databases {
		if d.loan != nil {
			d.loan.GiveBack()
		}
	}
	if err := u.host.close(); err != nil {
		b.warn(fmt.Sprintf("end the server of %s: %v", u.what, err))
	}
}

// database gives the name of the unit's n-th database, and has it made where it is not there yet.
func (u *Unit) database(n int) (string, error) {
	u.mu.Lock()
	if u.ended {
		u.mu.Unlock()
		return "", fmt.Errorf("%s has ended", u.what)
	}
	d := u.databases[n]
	if d == nil {
		d = &database{}
		u.databases[n] = d
	}
	u.relays.Add(1) // end waits until the database is there
	u.mu.Unlock()
	defer u.relays.Done()
	d.once.Do(func() {
		d.loan, d.err = u.take(n)
		d.made.Store(d.err == nil)
	})
	if d.err != nil {
		return "", d.err
	}
	return d.loan.Name(), nil
}

func (u *Unit) take(n int) (source.Loan, error) {
	server, err := u.server()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	name := u.name
	if u.broker.config.PerProcess {
		name = u.broker.config.Database
	}
	if n > 1 {
		name = fmt.Sprintf("%s_%d", name, n)
	}
	return server.Take(ctx, u.worker, u.what, name)
}

// names gives the databases that the unit has.
func (u *Unit) names() (all []string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, d := range u.databases {
		if d.made.Load() {
			all = append(all, d.loan.Name())
		}
	}
	return all
}

// connected notes a connection to the server, which ends with the unit. It reports false where the unit has ended already.
func (u *Unit) connected(conn net.Conn) (done func(), ok bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ended {
		return nil, false
	}
	u.conns[conn] = true
	u.relays.Add(1)
	return func() {
		u.mu.Lock()
		delete(u.conns, conn)
		u.mu.Unlock()
		u.relays.Done()
	}, true
}
