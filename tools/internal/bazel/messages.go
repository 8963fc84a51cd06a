package bazel

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/secret"
)

// Messages passes Bazel's messages on, line by line. It leaves out those that say nothing and those that are printed
// from the results anyway, and rewrites the one about Bazel's lock.
type Messages struct {
	To io.Writer
	// Progress takes the lines of progress, which are then not passed on; it may be nil.
	Progress func(line string)

	rest    []byte
	last    string
	summary bool   // within Bazel's own lines about a failed target
	locked  bool   // within those about the client that holds the lock
	holder  string // its PID
	page    bool   // within an HTML page that an HTTP server sent with an error
	warned  bool   // of the remote cache
	bulk    string // a first warning of the remote cache whose reason is in the next line
}

var (
	lockMessage = regexp.MustCompile(`^Another (?:Bazel )?command .*?pid ?= ?(\d+)`)
	// While its server starts, a client holds a lock of its own; several lines tell of it.
	clientLock = regexp.MustCompile(`^Another command holds the client lock:`)
	lockOwner  = regexp.MustCompile(`^([a-z_]+)=(.*)$`)
	// Where the holder has not yet written who it is, this comes alone.
	lockEnd   = regexp.MustCompile(`^(?:FATAL: )?(?:Waiting for it to complete|Exiting because the lock is held)`)
	emptyLine = regexp.MustCompile(`^(INFO: *|FAILED: *|Computing main repo mapping: *|Loading: *(0 packages loaded)?|` +
		`Analyzing: .*\(0 packages loaded, 0 targets configured\))?$`)
	progressLine = regexp.MustCompile(`^(\[[0-9,]+ / [0-9,]+\] |Loading: |Analyzing: |Computing main repo)`)
	pageEnd      = regexp.MustCompile(`(?i)</html>`)
	pageStart    = regexp.MustCompile(`(?i)<!doctype html|<html[ >]`)
	cacheWarning = regexp.MustCompile(`^(?:\([0-9:]+\) )?WARNING: Remote Cache: `)
	cacheDetail  = regexp.MustCompile(`^(?:com\.google\.devtools\.build\.lib\.remote|io\.netty|java\.(?:io|net))\.[\w.$]+: `)
	summaryLine  = regexp.MustCompile(`^[A-Z_ ]+: //.* \(Summary\)$`)
)

// Write takes a part of Bazel's messages.
func (f *Messages) Write(b []byte) (int, error) {
	f.rest = append(f.rest, b...)
	for {
		end := bytes.IndexByte(f.rest, '\n')
		if end < 0 {
			return len(b), nil
		}
		if err := f.pass(string(bytes.TrimRight(f.rest[:end], "\r"))); err != nil {
			return 0, err
		}
		f.rest = f.rest[end+1:]
	}
}

func (f *Messages) pass(line string) error {
	if f.locked = f.locked || clientLock.MatchString(line); f.locked {
		owner := lockOwner.FindStringSubmatch(line)
		switch {
		case lockEnd.MatchString(line):
			f.locked = false
			if f.holder != "" {
				line = fmt.Sprintf("Another command (pid=%s) is running. %s", f.holder, line)
			}
		case owner != nil:
			if owner[1] == "pid" {
				f.holder = owner[2]
			}
			return nil
		case line == "", clientLock.MatchString(line):
			return nil
		default: // not about the lock any more
			f.locked = false
		}
	}
	line = f.cutWarnings(f.cutPage(line))
	switch {
	case summaryLine.MatchString(line):
		f.summary = true
		return nil
	case f.summary && len(line) > 0 && line[0] == ' ': // the paths of its logs
		return nil
	case emptyLine.MatchString(line), line == f.last:
		return nil
	case f.Progress != nil && progressLine.MatchString(line):
		f.Progress(line)
		return nil
	}
	f.summary, f.last = false, line
	m := lockMessage.FindStringSubmatch(line)
	if m != nil || lockEnd.MatchString(line) {
		who, then := "", "waiting for it to end"
		if m != nil {
			who = fmt.Sprintf(" (PID %s)", m[1])
		}
		if strings.Contains(line, "Exiting") {
			then = "not waiting for it"
		}
		line = fmt.Sprintf("another Bazel command%s runs in this workspace; %s", who, then)
	}
	_, err := fmt.Fprintln(f.To, secret.Text(line))
	return err
}

// cutPage leaves out of a line what belongs to an HTML page, as HTTP servers send with errors: the status stands before it.
func (f *Messages) cutPage(line string) string {
	if !f.page {
		at := pageStart.FindStringIndex(line)
		if at == nil {
			return line
		}
		f.page = !pageEnd.MatchString(line)
		return strings.TrimRight(line[:at[0]], " \t")
	}
	f.page = !pageEnd.MatchString(line)
	return ""
}

// cutWarnings leaves out all warnings of the remote cache but the first, which becomes one line: where the cache is down,
// Bazel warns of each call, in several lines.
func (f *Messages) cutWarnings(line string) string {
	const rest = "; further warnings of the cache are left out"
	first := f.bulk
	f.bulk = ""
	switch detail := cacheDetail.FindString(line); {
	case first != "" && detail != "":
		return first + " " + line[len(detail):] + rest
	case first != "" && line != "":
		return first + rest + "\n" + line
	case detail != "" && f.warned:
		return ""
	case !cacheWarning.MatchString(line):
		return line
	case f.warned:
		return ""
	}
	f.warned = true
	if strings.HasSuffix(line, ":") {
		f.bulk = line
		return ""
	}
	return line + rest
}

// Flush passes on what came without an end of line.
func (f *Messages) Flush() {
	if len(f.rest) > 0 {
		_ = f.pass(string(f.rest))
		f.rest = nil
	}
}
