package main

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/results"
)

// logTail is how many lines of a dead shard's log are shown.
const logTail = 40

// logHead ends the lines that Bazel puts at the head of test.log.
var logHead = []byte("\n" + strings.Repeat("-", 77) + "\n")

// log prints test.log without Bazel's own first lines; of more than tail lines, the last ones.
func (p *printer) log(s *results.Shard, indent string, tail int) {
	if s.Log == "" {
		p.line("%s(its log is not on this machine)", indent)
		return
	}
	b, err := os.ReadFile(s.Log)
	if err != nil {
		p.line("%s(its log is lost: %v)", indent, err)
		return
	}
	if _, body, ok := bytes.Cut(b, logHead); ok {
		b = body
	}
	text := strings.TrimRight(withOwners(strings.ReplaceAll(string(b), framing, "")), "\n")
	if lines := strings.Split(text, "\n"); tail > 0 && len(lines) > tail {
		p.line("%s(%d lines above left out)", indent, len(lines)-tail)
		text = strings.Join(lines[len(lines)-tail:], "\n")
	}
	p.indented(text, indent)
}

func (p *printer) indented(text, indent string) {
	if text == "" {
		return
	}
	p.line("%s%s", indent, strings.ReplaceAll(text, "\n", "\n"+indent))
}

// framing is the character that "go test -v=test2json" puts before its own lines.
const framing = "\x16"

// ownerLine tells whose output comes next.
var ownerLine = regexp.MustCompile(`^=== (RUN|PAUSE|CONT|NAME) +(\S*)$`)

// withOwners leaves out what go test says of whose output comes next where that is known already: for machines it says
// so each time.
func withOwners(log string) string {
	owner := ""
	var kept []string
	for _, line := range strings.Split(log, "\n") {
		m := ownerLine.FindStringSubmatch(line)
		if m != nil && m[1] == "NAME" && (m[2] == "" || m[2] == owner) {
			continue
		}
		kept = append(kept, line)
		if m != nil {
			owner = m[2]
		}
		if m != nil && m[1] == "PAUSE" {
			owner = ""
		}
	}
	return strings.Join(kept, "\n")
}

var ownLine = regexp.MustCompile(`(?m)^\s*(=== (RUN|PAUSE|CONT|NAME)|--- (FAIL|SKIP|PASS):) .*\n?`)

// clean takes go test's own lines out of a test's output, and the indentation that all lines share.
func clean(output string) string {
	text := strings.ReplaceAll(output, framing, "")
	text = strings.Trim(ownLine.ReplaceAllString(text, ""), "\n")
	lines := strings.Split(text, "\n")
	shared := -1
	for _, l := range lines {
		if indent := len(l) - len(strings.TrimLeft(l, " ")); strings.TrimSpace(l) != "" && (shared < 0 || indent < shared) {
			shared = indent
		}
	}
	for i, l := range lines {
		lines[i] = l[min(max(shared, 0), len(l)):]
	}
	return strings.TrimRight(strings.Join(lines, "\n"), " \n")
}

// place is where in the source a test failed; the zero value is unknown.
type place struct {
	path string // relative to the workspace where the file was found, else its name
	line int
}

func (p place) suffix() string {
	if p.path == "" {
		return ""
	}
	return fmt.Sprintf("  %s:%d", p.path, p.line)
}

// lineMark is how the testing package marks what t.Error and the like print, and how a panic's stack names test files.
var lineMark = regexp.MustCompile(`(?m)^\s*(?:\S*/)?([\w.-]+\.go):(\d+)(: pgcell: |:| \+0x)`)

// where finds the first place that the output of a failed test, or of a failed subtest, names: what pgcell says of its
// cells is only better than nothing. In the stack of a panic it is the first test file.
func (p *printer) where(s *results.Shard, t *results.Test) place {
	outputs := []string{t.Output}
	for _, sub := range t.Subtests {
		if sub.Outcome == results.Failed {
			outputs = append([]string{sub.Output}, outputs...)
		}
	}
	found := place{}
	for _, output := range outputs {
		for _, m := range lineMark.FindAllStringSubmatch(output, -1) {
			line, _ := strconv.Atoi(m[2])
			switch {
			case m[3] == " +0x" && !strings.HasSuffix(m[1], "_test.go"):
			case m[3] != ": pgcell: ":
				return place{p.inWorkspace(s.Label, m[1]), line}
			case found == place{}:
				found = place{p.inWorkspace(s.Label, m[1]), line}
			}
		}
	}
	return found
}

// inWorkspace gives the path of a source file of a target, for the testing package names files without directories.
func (p *printer) inWorkspace(label, file string) string {
	pkg, ok := strings.CutPrefix(strings.TrimLeft(label, "@"), "//")
	if !ok || p.space == nil {
		return file
	}
	pkg, _, _ = strings.Cut(pkg, ":")
	if relative := path.Join(pkg, file); exists(p.space.root, filepath.FromSlash(relative)) {
		return relative
	}
	return file
}

// annotation prints what GitHub's web pages show beside the source.
func (p *printer) annotation(path string, line int, title, message string) {
	if !p.annotate {
		return
	}
	var properties []string
	if path != "" {
		properties = append(properties, "file="+escapeProperty(path), fmt.Sprintf("line=%d", line))
	}
	properties = append(properties, "title="+escapeProperty(title))
	p.line("::error %s::%s", strings.Join(properties, ","), escapeData(message))
}

// https://docs.github.com/actions/reference/workflow-commands-for-github-actions
var (
	dataEscapes     = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	propertyEscapes = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
)

func escapeData(s string) string     { return dataEscapes.Replace(s) }
func escapeProperty(s string) string { return propertyEscapes.Replace(s) }

// firstLines gives what an annotation has room for.
func firstLines(t *results.Test) string {
	text := clean(t.Output)
	for _, sub := range t.Subtests {
		if sub.Outcome == results.Failed {
			text = strings.TrimLeft(text+"\n"+sub.Name+":\n"+clean(sub.Output), "\n")
		}
	}
	if lines := strings.Split(text, "\n"); len(lines) > 20 {
		text = strings.Join(lines[:20], "\n") + "\n..."
	}
	if text == "" {
		return "failed without a word"
	}
	return text
}
