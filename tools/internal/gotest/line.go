// Package gotest reads what "go test -v" prints, line by line, finds where a test failed, and makes it fit to be shown.
//
// It is the one place that knows these lines, with and without the framing character of -v=test2json. Non-goals: what a
// test run means as a whole (package results); JSON as of "go test -json".
package gotest

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Verb is what go test says of a test in a line of its own.
type Verb string

// The verbs. Output is no verb of go test's but stands for all that it does not say itself.
const (
	Output Verb = ""
	Run    Verb = "RUN"   // begins; what follows is its output
	Pause  Verb = "PAUSE" // waits for the tests in series to end, as t.Parallel has it; what follows is nobody's output
	Cont   Verb = "CONT"  // goes on; what follows is its output
	Name   Verb = "NAME"  // what follows is its output; without a name, nobody's
	Pass   Verb = "PASS"
	Fail   Verb = "FAIL"
	Skip   Verb = "SKIP"
)

// Ended reports whether the verb is a test's result.
func (v Verb) Ended() bool { return v == Pass || v == Fail || v == Skip }

// Line is a line of go test's.
type Line struct {
	Verb Verb
	Test string        // Go's name: "TestA", "TestA/sub"; empty with Output, and with Name where it is nobody's
	Took time.Duration // of a result
}

var (
	change = regexp.MustCompile(`^=== (RUN|PAUSE|CONT|NAME) +(\S*)\s*$`)
	result = regexp.MustCompile(`^ *--- (PASS|FAIL|SKIP): (\S+) \(([0-9.]+)s\)`)
)

// framing is the character that -v=test2json puts before the lines of go test itself.
const framing = "\x16"

// ParseLine reads one line, with or without its end.
func ParseLine(line string) Line {
	line = Unframe(line)
	if m := change.FindStringSubmatch(line); m != nil {
		return Line{Verb: Verb(m[1]), Test: m[2]}
	}
	if m := result.FindStringSubmatch(line); m != nil {
		seconds, _ := strconv.ParseFloat(m[3], 64) // several dots give 0
		return Line{Verb: Verb(m[1]), Test: m[2], Took: time.Duration(seconds * float64(time.Second))}
	}
	return Line{}
}

// Unframe takes the framing characters out of a text.
func Unframe(text string) string { return strings.ReplaceAll(text, framing, "") }
