package keeper

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/pgcell/pgcell/tools/internal/held"
	"github.com/pgcell/pgcell/tools/internal/storage"
)

// Become turns this process into a keeper, and never returns, where postgres.Start executed it as one; elsewhere it does
// nothing. Call it from an init function, or first thing in TestMain, of every binary that calls that. fills maps
// [Source] kinds to what serves them.
func Become(fills map[string]Fill) {
	how := os.Getenv(Env)
	if how == "" && os.Args[0] != Name { // by its name also where an initialiser has cleared the environment
		return
	}
	if how == probeOnly {
		os.Exit(0)
	}
	os.Exit(keep(fills))
}

// keeper owns the server and all that it has on disk, until the pipe from its parent ends.
type keeper struct {
	job      Job
	fills    map[string]Fill
	out      *json.Encoder
	place    storage.Place
	held     *held.Dir // what a private data directory lies in; nil where that is the namespace's memory
	memory   string    // where private memory is mounted; "" without namespaces
	dataDir  string
	spareDir *held.Dir // see Server.Spare; nil until asked for
	programs *held.Dir // see share; nil where the job's serve
	log      *os.File
	server   *exec.Cmd         // nil while none runs
	ended    chan struct{}     // closed when server has been waited for
	linger   bool              // see Server.Linger
	filling  chan error        // gives the filler's result, once; nil where none runs
	initial  map[string]string // see Server.InitialSettings
}

func keep(fills map[string]Fill) int {
	// The parent-death signal follows the thread that forked, so all forks come from this one, which lives as long as
	// the process.
	runtime.LockOSThread()
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	syscall.CloseOnExec(RequestsFD)
	syscall.CloseOnExec(RepliesFD)
	in := json.NewDecoder(os.NewFile(RequestsFD, "requests"))
	k := &keeper{fills: fills, out: json.NewEncoder(os.NewFile(RepliesFD, "replies"))}
	if err := in.Decode(&k.job); err != nil {
		fmt.Fprintln(os.Stderr, "read job:", err)
		return 1
	}
	ctx, end := context.WithCancel(context.Background())
	requests := make(chan Request)
	go func() {
		defer end()
		for {
			var r Request
			if in.Decode(&r) != nil { // the end of the parent, mostly
				return
			}
			requests <- r
		}
	}()
	k.serve(ctx, requests)
	if k.linger {
		held.Mark(k.job.SocketDir)
		k.awaitWord()
	}
	k.quit()
	return 0
}

// awaitWord waits for SIGTERM, for the socket directory's removal, or for the server's own end.
func (k *keeper) awaitWord() {
	asked := make(chan os.Signal, 1)
	signal.Notify(asked, syscall.SIGTERM)
	if k.server == nil {
		return
	}
	look := time.NewTicker(200 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-asked:
			return
		case <-k.ended:
			return
		case <-look.C:
			if _, err := os.Stat(k.job.SocketDir); errors.Is(err, fs.ErrNotExist) {
				return
			}
		}
	}
}

// serve does the job and then what is asked, until ctx ends.
func (k *keeper) serve(ctx context.Context, requests <-chan Request) {
	if err := k.choosePlace(); err != nil {
		k.reply(Reply{Op: OpStart}, err)
	} else if err := k.contain(); err != nil {
		k.reply(Reply{Op: OpContain}, err)
	} else {
		err := k.begin(ctx)
		k.reply(Reply{Op: OpStart, Settings: k.initial}, err)
		debug.FreeOSMemory() // what unpacking took: from now on the keeper only waits
	}
	for {
		var ended chan struct{}
		if k.server != nil {
			ended = k.ended
		}
		select {
		case <-ctx.Done():
			return
		case <-ended:
			k.server = nil
			k.reply(Reply{Op: OpExited}, k.failure("run", errors.New("the server ended by itself")))
		case r := <-requests:
			k.answer(ctx, r)
		}
	}
}

// answer does what one request asks for.
func (k *keeper) answer(ctx context.Context, r Request) {
	a := Reply{ID: r.ID, Op: r.Op}
	var err error
	switch r.Op {
	case OpStart:
		err = k.start(ctx)
	case OpStop:
		err = k.stop(ctx)
	case OpSpare:
		if a.Dir, err = k.spare(); err != nil {
			err = k.failure("make spare directory for", err)
		}
	case OpLinger:
		k.linger = true
	case OpFree:
		if a.Free, a.Size, err = storage.Free(k.dataDir); err != nil {
			err = k.failure("look at the storage of", err)
		}
	}
	k.reply(a, err)
}

// begin fills the data directory and starts the server. Where memory that nobody insisted on proves too small for that,
// it does so anew on disk.
func (k *keeper) begin(ctx context.Context) error {
	err := k.fillAndStart(ctx)
	if err == nil || ctx.Err() != nil || !spaceEnded.MatchString(err.Error()) {
		return err
	}
	if !k.place.Memory || k.job.Storage == storage.Memory || k.job.DataDir != "" {
		return err
	}
	if err := k.leaveMemory(); err != nil {
		return err
	}
	return k.fillAndStart(ctx)
}

func (k *keeper) fillAndStart(ctx context.Context) error {
	if err := k.prepare(ctx); err != nil {
		return err
	}
	err := k.start(ctx)
	if cause := k.filled(); cause != nil { // then the server may have ended for want of a file
		return cause
	}
	return err
}

// reply sends a reply, to which it adds what all have.
func (k *keeper) reply(r Reply, err error) {
	r.DataDir, r.InMemory, r.Storage = k.dataDir, storage.InMemory(k.dataDir), k.storage()
	if err != nil && !errors.As(err, &r.Failure) {
		r.Failure = k.failure("prepare", err)
	}
	k.out.Encode(r) // an error means that the parent is gone, which the other pipe tells
}

// spaceEnded is how PostgreSQL says that; the second is its hint where a write came out short.
var spaceEnded = regexp.MustCompile(`(?i)no space left on device|check free disk space`)

// failure makes a ServerError of err, with the log's end and the remedy where it is known.
func (k *keeper) failure(op string, err error) *ServerError {
	f := &ServerError{Op: op, Object: fmt.Sprintf("server of PostgreSQL %v in %q", k.job.Version, k.dataDir), Reason: err.Error()}
	f.Log = ReadTail(filepath.Join(k.job.SocketDir, ServerLog))
	var damaged interface{ Damaged() bool }
	f.Damaged = errors.As(err, &damaged) && damaged.Damaged()
	if errors.Is(err, syscall.ENOSPC) || spaceEnded.MatchString(f.Log+f.Reason) {
		f.Remedy = "the disk is full: free space there"
		if storage.InMemory(k.dataDir) {
			f.Remedy = "its memory is full: free some, or set PGCELL_STORAGE=disk"
		}
	}
	return f
}

// quit leaves nothing: no process, no directory.
func (k *keeper) quit() {
	k.filled() // it stops soon, and its error is of no use any more
	k.endServer()
	if k.job.Containment != Namespaces { // else it goes with the namespace, and the server may still be attached to it
		held.FreeSharedMemory(k.dataDir)
	}
	for _, dir := range []*held.Dir{k.held, k.spareDir, k.programs} {
		if dir != nil {
			dir.Remove()
		}
	}
	held.Remove(k.job.SocketDir)
}

// endServer returns when nothing writes any more to what the keeper is about to remove. As the first process of its
// namespace the keeper need not wait for the server where all is in memory, since the kernel ends it with the
// namespace.
func (k *keeper) endServer() {
	if k.job.Containment != Namespaces || k.job.DataDir != "" {
		k.abort()
	}
	if k.job.Containment == Namespaces && (k.held != nil || k.spareDir != nil) {
		endNamespace()
	}
}
