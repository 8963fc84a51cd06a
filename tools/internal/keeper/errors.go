package keeper

import (
	"errors"
	"fmt"
	"strings"
)

// ServerError says that a server could not be prepared, started or kept, with the end of its log.
type ServerError struct {
	Op     string // "prepare", "start", "run", "stop"
	Object string // what it was done to: a data directory, a golden cluster
	Reason string
	Log    string // the last lines of the server's log; may be empty
	Remedy string // may be empty
	// Damaged tells that the source of the data directory was found damaged: made anew it may serve.
	Damaged bool
}

func (e *ServerError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s: %s", e.Op, e.Object, e.Reason)
	if e.Remedy != "" {
		b.WriteString("; " + e.Remedy)
	}
	if e.Log != "" {
		b.WriteString("\nend of the server's log:\n" + indent(e.Log))
	}
	return b.String()
}

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n    ")
}

// ErrNoKeeper is what postgres.Start says in a process that should have become a keeper.
var ErrNoKeeper = errors.New("start server: this process was executed to keep a server and never became its keeper; " +
	"call keeper.Become from an init function of the program, or first thing in TestMain")
