package postgres

// The parent and its keeper speak JSON values over two pipes: a job, then one request at a time, each with one reply. Besides, the keeper
// tells on its own when the server ends.

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
	Version      Version
	SocketDir    string
	DataDir      string // "" makes a private one
	DataParent   string // where the watchdog makes it
	Source       Source
	Settings     map[string]string
	StorageLimit int64
	StartSeconds float64
}

const (
	opStart    = "start" // start the server; also the answer to the job itself
	opStop     = "stop"  // clean shutdown; the keeper and the data stay
	opExited   = "exited"
	opContain  = "contain" // the namespaces could not be made; nothing has been done
	serverLog  = "server.log"
	dataName   = "data"
	keeperName = "pgcell-keeper"
	keeperEnv  = "PGCELL_KEEPER"
	probeOnly  = "probe" // value of keeperEnv: end at once; that the process could be made is the answer
)

type request struct {
	Op string
}

// reply answers one request; Failure is nil on success.
type reply struct {
	Op      string
	DataDir string       `json:",omitempty"`
	Failure *ServerError `json:",omitempty"`
}
