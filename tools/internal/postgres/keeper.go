package postgres

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Fill puts a cluster into an empty, existing data directory. It may call enough once, as soon as all is there that a
// server reads when it starts; the server then starts beside the rest, and its users wait for both. It stops soon after
// ctx ends.
type Fill func(ctx context.Context, source, dataDir string, enough func()) error

// BecomeKeeper turns this process into a keeper, and never returns, where [Start] executed it as one; elsewhere it does
// nothing. Call it from an init function, or first thing in TestMain, of every binary that calls Start. fills maps
// [Source] kinds to what serves them.
func BecomeKeeper(fills map[string]Fill) {
	how := os.Getenv(keeperEnv)
	if how == "" && os.Args[0] != keeperName { // by its name also where an initialiser has cleared the environment
		return
	}
	if how == probeOnly {
		os.Exit(0)
	}
	os.Exit(keep(fills))
}

// keeper owns the server and all that it has on disk, until the pipe from its parent ends.
type keeper struct {
	job      job
	fills    map[string]Fill
	out      *json.Encoder
	place    place
	held     *HeldDir // what a private data directory lies in; nil where that is the namespace's memory
	memory   string   // where private memory is mounted; "" without namespaces
	dataDir  string
	spareDir *HeldDir // see Server.Spare; nil until asked for
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
	syscall.CloseOnExec(requestsFD)
	syscall.CloseOnExec(repliesFD)
	in := json.NewDecoder(os.NewFile(requestsFD, "requests"))
	k := &keeper{fills: fills, out: json.NewEncoder(os.NewFile(repliesFD, "replies"))}
	if err := in.Decode(&k.job); err != nil {
		fmt.Fprintln(os.Stderr, "read job:", err)
		return 1
	}
	ctx, end := context.WithCancel(context.Background())
	requests := make(chan request)
	go func() {
		defer end()
		for {
			var r request
			if in.Decode(&r) != nil { // the end of the parent, mostly
				return
			}
			requests <- r
		}
	}()
	k.serve(ctx, requests)
	if k.linger {
		k.markKept()
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
func (k *keeper) serve(ctx context.Context, requests <-chan request) {
	if err := k.choosePlace(); err != nil {
		k.reply(reply{Op: opStart}, err)
	} else if err := k.contain(); err != nil {
		k.reply(reply{Op: opContain}, err)
	} else {
		err := k.begin(ctx)
		k.reply(reply{Op: opStart, Settings: k.initial}, err)
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
			k.reply(reply{Op: opExited}, k.failure("run", errors.New("the server ended by itself")))
		case r := <-requests:
			k.answer(ctx, r)
		}
	}
}

// answer does what one request asks for.
func (k *keeper) answer(ctx context.Context, r request) {
	a := reply{ID: r.ID, Op: r.Op}
	var err error
	switch r.Op {
	case opStart:
		err = k.start(ctx)
	case opStop:
		err = k.stop(ctx)
	case opSpare:
		if a.Dir, err = k.spare(); err != nil {
			err = k.failure("make spare directory for", err)
		}
	case opLinger:
		k.linger = true
	case opFree:
		if a.Free, a.Size, err = freeSpace(k.dataDir); err != nil {
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
	if !k.place.memory || k.job.Storage == Memory || k.job.DataDir != "" {
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
func (k *keeper) reply(r reply, err error) {
	r.DataDir, r.InMemory, r.Storage = k.dataDir, memoryBacked(k.dataDir), k.storage()
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
	f.Log = readTail(filepath.Join(k.job.SocketDir, serverLog))
	var damaged interface{ Damaged() bool }
	f.Damaged = errors.As(err, &damaged) && damaged.Damaged()
	if errors.Is(err, syscall.ENOSPC) || spaceEnded.MatchString(f.Log+f.Reason) {
		f.Remedy = "the disk is full: free space there"
		if memoryBacked(k.dataDir) {
			f.Remedy = "its memory is full: free some, or set PGCELL_STORAGE=disk"
		}
	}
	return f
}

// prepare makes the data directory and fills it.
func (k *keeper) prepare(ctx context.Context) error {
	var err error
	if k.log, err = os.Create(filepath.Join(k.job.SocketDir, serverLog)); err != nil {
		return err
	}
	if err := k.makeDataDir(); err != nil {
		return err
	}
	switch kind := k.job.Source.Kind; kind {
	case FromExisting:
		return nil
	case FromInitdb:
		err = k.initdb(ctx)
	default:
		if k.fills[kind] == nil {
			return fmt.Errorf("no filler for source %q", kind)
		}
		err = k.fill(ctx, k.fills[kind])
	}
	if err != nil {
		return k.failure("prepare", err)
	}
	return nil
}

// fill runs a filler until the server can be started, which is at its end where files must be handed to another user
// first.
func (k *keeper) fill(ctx context.Context, filler Fill) error {
	done, enough := make(chan error, 1), make(chan struct{})
	signal := sync.OnceFunc(func() { close(enough) })
	if k.serverAttr().Credential != nil {
		signal = func() {}
	}
	go func() { done <- filler(ctx, k.job.Source.Path, k.dataDir, signal) }()
	select {
	case err := <-done:
		return err
	case <-enough:
		k.filling = done
		return nil
	}
}

// filled waits for the filler that runs beside the server.
func (k *keeper) filled() error {
	if k.filling == nil {
		return nil
	}
	err := <-k.filling
	k.filling = nil
	if err != nil {
		return k.failure("prepare", err)
	}
	return nil
}

// ServerEnv is the environment of PostgreSQL's programs, the server and such as pg_dump: nothing of the user's but the way to shared libraries.
func ServerEnv() []string {
	env := []string{
		"PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", "TZ=UTC",
		// glibc, mallopt(3): a backend keeps up to 4 MB that it frees, in place of a new page fault for each page at
		// the next statement. An INSERT of 5 rows cost 118 us of CPU so, and 210 before; a look at pg_stat_activity 40,
		// and 300 before.
		"MALLOC_TRIM_THRESHOLD_=4194304", "MALLOC_MMAP_THRESHOLD_=4194304",
	}
	for _, name := range []string{"LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"} {
		if v := os.Getenv(name); v != "" {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// start executes postgres and waits until it accepts connections.
func (k *keeper) start(ctx context.Context) error {
	conf := configuration(k.job.Version, k.job.SocketDir, k.job.Settings)
	for name, text := range map[string][]byte{"postgresql.conf": conf, "pg_hba.conf": authentication(k.job.Protected, k.job.ProtectedRoles)} {
		if err := os.WriteFile(filepath.Join(k.dataDir, name), text, 0o600); err != nil {
			return k.failure("start", err)
		}
	}
	freeSharedMemory(k.dataDir)
	os.Remove(k.pidFile()) // of a server that died; it would read as ready
	if err := k.own(); err != nil {
		return k.failure("start", err)
	}
	cmd := exec.Command(filepath.Join(k.job.BinDir, "postgres"), "-D", k.dataDir)
	cmd.Env, cmd.Stdout, cmd.Stderr, cmd.SysProcAttr = ServerEnv(), k.log, k.log, k.serverAttr()
	if err := cmd.Start(); err != nil {
		return k.failure("start", err)
	}
	k.server, k.ended = cmd, make(chan struct{})
	go func(ended chan struct{}) {
		cmd.Wait()
		close(ended)
	}(k.ended)
	return k.waitReady(ctx)
}

func (k *keeper) pidFile() string { return filepath.Join(k.dataDir, "postmaster.pid") }

// waitReady looks for the word that the postmaster writes into postmaster.pid once it accepts connections
// (src/include/utils/pidfile.h, LOCK_FILE_LINE_PM_STATUS). Reading a small file costs the server nothing, unlike an
// attempt to connect.
func (k *keeper) waitReady(ctx context.Context) error {
	limit := time.Duration(k.job.StartSeconds * float64(time.Second))
	deadline := time.NewTimer(limit)
	defer deadline.Stop()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-k.ended:
			code := k.server.ProcessState
			k.server = nil
			return k.failure("start", fmt.Errorf("postgres ended before it was ready (%v)", code))
		case <-deadline.C:
			return k.failure("start", fmt.Errorf("not ready after %v", limit))
		case <-tick.C:
			text, _ := os.ReadFile(k.pidFile())
			if bytes.HasSuffix(bytes.TrimSpace(text), []byte("ready")) {
				return nil
			}
		}
	}
}

// stop asks for a fast shutdown: sessions are ended, a checkpoint is written.
func (k *keeper) stop(ctx context.Context) error {
	if k.server == nil {
		return nil
	}
	k.server.Process.Signal(syscall.SIGINT)
	select {
	case <-k.ended:
		k.server = nil
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(30 * time.Second):
		return k.failure("stop", errors.New("still running 30 s after a fast shutdown was asked for"))
	}
}

// quit leaves nothing: no process, no directory.
func (k *keeper) quit() {
	k.filled() // it stops soon, and its error is of no use any more
	k.endServer()
	if k.job.Containment != Namespaces { // else it goes with the namespace, and the server may still be attached to it
		freeSharedMemory(k.dataDir)
	}
	for _, held := range []*HeldDir{k.held, k.spareDir} {
		if held != nil {
			held.Remove()
		}
	}
	os.RemoveAll(k.job.SocketDir)
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

// abort ends the server and its backends without a checkpoint.
func (k *keeper) abort() {
	if k.server == nil {
		return
	}
	k.server.Process.Signal(syscall.SIGQUIT)
	select {
	case <-k.ended:
	case <-time.After(2 * time.Second):
		k.server.Process.Kill()
		<-k.ended
	}
	k.server = nil
}

// readTail gives the last 20 lines of a file, at most 8 kB; "" where it cannot be read.
func readTail(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	const most = 8 << 10
	if info, err := f.Stat(); err == nil && info.Size() > most {
		f.Seek(-most, io.SeekEnd)
	}
	text, _ := io.ReadAll(f)
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-20):], "\n")
}
