package gotest

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Place is where in the source a test failed; the zero value is unknown.
type Place struct {
	Path string // relative to the workspace where the file was found, else its name
	Line int
}

// String gives "tests/a_test.go:12"; "" if the place is unknown.
func (p Place) String() string {
	if p.Path == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d", p.Path, p.Line)
}

// lineMark is how the testing package marks what t.Error and the like print, and how a panic's stack names test files.
var lineMark = regexp.MustCompile(`(?m)^\s*(?:\S*/)?([\w.-]+\.go):(\d+)(: pgcell: |:| \+0x)`)

// How well a line of a test's output tells where it failed, worst first. Log and Error print alike: the source tells
// them apart, where it is there.
const (
	saidByPgcell = iota + 1 // what pgcell says of a test's cells
	logged                  // a call of Log or Logf
	marked                  // any other line; Fatal ends a test, so the last one is the best guess
	failing                 // a call that fails the test, or a panic's stack; the first one counts
)

// FindPlace finds the place at which a test failed in the first of some outputs, those of failed subtests first, that
// tells it. In the stack of a panic it is the first test file. The testing package names files without directories: dir
// is that of the test's package, below the workspace root, which may be empty.
func FindPlace(outputs []string, root, dir string) Place {
	found, best := Place{}, 0
	for _, output := range outputs {
		place, rank := placeIn(output, root, dir)
		if rank >= marked {
			return place
		}
		if rank > best {
			found, best = place, rank
		}
	}
	return found
}

// placeIn finds the best place in one output.
func placeIn(output, root, dir string) (found Place, best int) {
	for _, m := range lineMark.FindAllStringSubmatch(output, -1) {
		number, _ := strconv.Atoi(m[2])
		place := Place{source(root, dir, m[1]), number}
		var rank int
		switch {
		case m[3] == " +0x" && !strings.HasSuffix(m[1], "_test.go"):
			continue
		case m[3] == " +0x":
			rank = failing
		case m[3] == ": pgcell: ":
			rank = saidByPgcell
		default:
			rank = place.rank(root)
		}
		if rank == failing {
			return place, rank
		}
		if rank >= best {
			found, best = place, rank
		}
	}
	return found, best
}

// tellingCall is a call that prints a line of output.
var tellingCall = regexp.MustCompile(`\.(Log|Error|Fatal)f?\([^)]|\b(?:require|assert)\.`)

// rank looks at the source line of a place.
func (p Place) rank(root string) int {
	if root == "" {
		return marked
	}
	text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(p.Path)))
	if err != nil {
		return marked
	}
	lines := strings.Split(string(text), "\n")
	if p.Line < 1 || p.Line > len(lines) {
		return marked
	}
	switch call := tellingCall.FindStringSubmatch(lines[p.Line-1]); {
	case call == nil:
		return marked
	case call[1] == "Log":
		return logged
	}
	return failing
}

// source gives the path of a source file below the workspace, where it is there, else its name.
func source(root, dir, file string) string {
	relative := path.Join(dir, file)
	info, err := os.Stat(filepath.Join(root, filepath.FromSlash(relative)))
	if root != "" && err == nil && info.Mode().IsRegular() {
		return relative
	}
	return file
}
