package postgres

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/pgcell/pgcell/tools/internal/binaries"
)

// The parent and its keeper speak JSON values over two pipes: a job, then requests, each with one reply, in order, on a
// line of its own. Besides, the keeper tells on its own when the server ends.

// The keeper's ends of the pipes have file descriptors of their own: package initialisers of the program, which run
// before it becomes a keeper, may print to standard output and read from standard input.
const (
	requestsFD = 3
	repliesFD  = 4
)

// Kinds of [Source] that need no registration.
const (
	FromInitdb   = "initdb"   // a new cluster
	FromExisting = "existing" // Config.DataDir holds one already
)

// Source says what a data directory is filled with.
type Source struct {
	Kind string // FromInitdb, FromExisting, or a key of the map given to BecomeKeeper
	Path string // what that filler reads; absolute
}

// job is the first value that a keeper reads.
type job struct {
	Containment  Containment
	BinDir       string
	Version      binaries.Version
	SocketDir    string
	DataDir      string   // "" makes a private one
	DiskParents  []string // where it is made on disk, and Spare's; the first that serves
	Source       Source
	Settings     map[string]string
	Locale       string // of FromInitdb
	Storage      Storage
	StorageLimit int64
	StartSeconds float64
	Protected    bool // the superuser needs a password

	ProtectedRoles bool // and so does everybody else
}

const (
	opStart    = "start"  // start the server; also the answer to the job itself
	opStop     = "stop"   // clean shutdown; the keeper and the data stay
	opSpare    = "spare"  // see Server.Spare
	opFree     = "free"   // see Server.Free
	opLinger   = "linger" // see Server.Linger
	opExited   = "exited"
	opContain  = "contain" // the namespaces could not be made; nothing has been done
	serverLog  = "server.log"
	spareName  = "spare"
	keeperName = "pgcell-keeper"
	keeperEnv  = "PGCELL_KEEPER"
	probeOnly  = "probe" // value of keeperEnv: end at once; that the process could be made is the answer
)

type request struct {
	ID int // from 1 on; the job has 0
	Op string
}

// reply answers the request of the same ID; Failure is nil on success.
type reply struct {
	ID         int
	Op         string
	DataDir    string            `json:",omitempty"`
	InMemory   bool              `json:",omitempty"`
	Storage    string            `json:",omitempty"` // see Server.Storage
	Dir        string            `json:",omitempty"` // of opSpare
	Free, Size int64             `json:",omitempty"` // of opFree, in bytes
	Settings   map[string]string `json:",omitempty"` // see Server.InitialSettings
	Failure    *ServerError      `json:",omitempty"`
}

// listen passes replies on and notes when the server or the keeper ends.
func (s *Server) listen(out *os.File) {
	ended := make(chan error, 1)
	go func() {
		ended <- s.keeper.Wait()
		out.SetReadDeadline(time.Now().Add(time.Second)) // a process that an initialiser has left may hold the pipe
	}()
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			break
		}
		var r reply
		if err := json.Unmarshal(line, &r); err != nil {
			s.setDown(fmt.Errorf("the keeper of the server in %q said %.200q, which is no reply: %w", s.dir.Path(), line, err))
			s.keeper.Process.Kill() // it may be no keeper, and never end
			break
		}
		s.begun = true
		s.pass(r)
	}
	s.setDown(s.ended(<-ended))
	out.Close()
	s.in.Close()
	close(s.gone)
}

// pass gives a reply to whom it is for.
func (s *Server) pass(r reply) {
	if r.Op == opExited {
		s.setDown(r.Failure)
		return
	}
	s.mu.Lock()
	whom := s.waiting[r.ID]
	delete(s.waiting, r.ID)
	s.mu.Unlock()
	if whom != nil { // else nobody waits for it any more
		whom <- r
	}
}

// request asks the keeper for something.
func (s *Server) request(ctx context.Context, op string) (reply, error) {
	s.mu.Lock()
	s.last++
	id := s.last
	s.mu.Unlock()
	return s.ask(ctx, id, request{ID: id, Op: op})
}

// ask sends one value and waits for its reply. A failure that the reply tells of is the error.
func (s *Server) ask(ctx context.Context, id int, what any) (reply, error) {
	if err := ctx.Err(); err != nil {
		return reply{}, fmt.Errorf("wait for server in %q: %w", s.dir.Path(), err)
	}
	answer := make(chan reply, 1)
	s.mu.Lock()
	s.waiting[id] = answer
	s.mu.Unlock()
	s.asking.Lock()
	err := json.NewEncoder(s.in).Encode(what)
	s.asking.Unlock()
	if err != nil {
		<-s.gone
		return reply{}, s.Err()
	}
	select {
	case r := <-answer:
		if r.Failure != nil {
			return r, r.Failure
		}
		return r, nil
	case <-s.gone:
		return reply{}, s.Err()
	case <-ctx.Done():
		s.mu.Lock()
		delete(s.waiting, id)
		s.mu.Unlock()
		return reply{}, fmt.Errorf("wait for server in %q: %w", s.dir.Path(), ctx.Err())
	}
}
