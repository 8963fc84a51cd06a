package keeper

import (
	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/storage"
)

// The parent and its keeper speak JSON values over two pipes: a job, then requests, each with one reply, in order, on a
// line of its own. Besides, the keeper tells on its own when the server ends.

// The keeper's ends of the pipes have file descriptors of their own: package initialisers of the program, which run
// before it becomes a keeper, may print to standard output and read from standard input.
const (
	RequestsFD = 3
	RepliesFD  = 4
)

// Kinds of [Source] that need no registration.
const (
	FromInitdb   = "initdb"   // a new cluster
	FromExisting = "existing" // Job.DataDir holds one already
)

// Source says what a data directory is filled with.
type Source struct {
	Kind string // FromInitdb, FromExisting, or a key of the map given to Become
	Path string // what that filler reads; absolute
}

// Job is the first value that a keeper reads.
type Job struct {
	Containment  Containment
	BinDir       string
	Version      binaries.Version
	SocketDir    string
	DataDir      string   // "" makes a private one
	DiskParents  []string // where it is made on disk, and Spare's; the first that serves
	Source       Source
	Settings     map[string]string
	Locale       string // of FromInitdb
	Storage      storage.Kind
	StorageLimit int64
	StartSeconds float64
	Protected    bool // the superuser needs a password

	ProtectedRoles bool // and so does everybody else
}

// What a keeper is asked for, and what it tells on its own.
const (
	OpStart   = "start"  // start the server; also the answer to the job itself
	OpStop    = "stop"   // clean shutdown; the keeper and the data stay
	OpSpare   = "spare"  // postgres.Server.Spare
	OpFree    = "free"   // postgres.Server.Free
	OpLinger  = "linger" // postgres.Server.Linger
	OpExited  = "exited"
	OpContain = "contain" // the namespaces could not be made; nothing has been done
)

const (
	// Name is the first argument of a keeper, by which others know it too.
	Name = "pgcell-keeper"
	// Env is a variable in a keeper's environment.
	Env = "PGCELL_KEEPER"
	// ServerLog is the server's log in its socket directory.
	ServerLog = "server.log"

	spareName = "spare"
	probeOnly = "probe" // value of Env: end at once; that the process could be made is the answer
)

// Request is what a keeper reads after the job.
type Request struct {
	ID int // from 1 on; the job has 0
	Op string
}

// Reply answers the request of the same ID; Failure is nil on success.
type Reply struct {
	ID         int
	Op         string
	DataDir    string            `json:",omitempty"`
	InMemory   bool              `json:",omitempty"`
	Storage    string            `json:",omitempty"` // see postgres.Server.Storage
	Dir        string            `json:",omitempty"` // of OpSpare
	Free, Size int64             `json:",omitempty"` // of OpFree, in bytes
	Settings   map[string]string `json:",omitempty"` // see postgres.Server.InitialSettings
	Failure    *ServerError      `json:",omitempty"`
}
