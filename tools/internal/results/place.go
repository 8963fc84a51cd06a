package results

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

// Where finds the first place that the output of a failed test, or of a failed subtest, names: what pgcell says of its
// cells is only better than nothing. In the stack of a panic it is the first test file. root is the workspace; it may
// be empty.
func (s *Shard) Where(t *Test, root string) Place {
	outputs := []string{t.Output}
	for _, sub := range t.Subtests {
		if sub.Outcome == Failed {
			outputs = append([]string{sub.Output}, outputs...)
		}
	}
	found := Place{}
	for _, output := range outputs {
		for _, m := range lineMark.FindAllStringSubmatch(output, -1) {
			line, _ := strconv.Atoi(m[2])
			switch {
			case m[3] == " +0x" && !strings.HasSuffix(m[1], "_test.go"):
			case m[3] != ": pgcell: ":
				return Place{s.source(m[1], root), line}
			case found == Place{}:
				found = Place{s.source(m[1], root), line}
			}
		}
	}
	return found
}

// source gives the path of a source file of the shard's target, for the testing package names files without
// directories.
func (s *Shard) source(file, root string) string {
	pkg, ok := strings.CutPrefix(strings.TrimLeft(s.Label, "@"), "//")
	if !ok || root == "" {
		return file
	}
	pkg, _, _ = strings.Cut(pkg, ":")
	relative := path.Join(pkg, file)
	if info, err := os.Stat(filepath.Join(root, filepath.FromSlash(relative))); err == nil && info.Mode().IsRegular() {
		return relative
	}
	return file
}
