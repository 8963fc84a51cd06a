package gotest

import "strings"

// WithOwners makes a whole log fit to be shown: without framing characters, and without the lines that name the owner
// of the output that follows where it is known already. With -v=test2json go test writes one for each piece of output.
func WithOwners(log string) string {
	owner := ""
	var kept []string
	for _, text := range strings.Split(Unframe(log), "\n") {
		line := ParseLine(text)
		if line.Verb == Name && (line.Test == "" || line.Test == owner) {
			continue
		}
		kept = append(kept, text)
		switch line.Verb {
		case Run, Cont, Name:
			owner = line.Test
		case Pause:
			owner = ""
		}
	}
	return strings.Join(kept, "\n")
}

// Silent reports whether a log is that of tests that ran without -v, which names those that fail alone. A log without
// any test is not.
func Silent(log string) bool {
	ended := false
	for line := range strings.Lines(Unframe(log)) {
		switch text := strings.TrimRight(line, "\r\n"); {
		case ParseLine(text).Verb == Run, text == "testing: warning: no tests to run":
			return false
		case text == "PASS", text == "FAIL":
			ended = true
		}
	}
	return ended
}

// Clean gives the output of one test without the lines of go test itself, and without the indentation that all lines
// share.
func Clean(output string) string {
	var lines []string
	for _, text := range strings.Split(Unframe(output), "\n") {
		if ParseLine(text).Verb == Output {
			lines = append(lines, text)
		}
	}
	lines = strings.Split(strings.Trim(strings.Join(lines, "\n"), "\n"), "\n")
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
