package split

// Not an external package: what becomes of a command takes no process.

import (
	"slices"
	"strings"
	"testing"
)

func TestWith(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ command, want string }{
		{"npx|mocha|{}|-x", "npx|mocha|a|b c|-x"},
		{"make|test|FILES={}", "make|test|FILES=a 'b c'"},
		{"sh|-c|run {file}", "sh|-c|run a 'b c'"},
		{"run|{file}", "run|a|b c"},
		{"run|{other}", "run|{other}"},
	} {
		if got := with(strings.Split(c.command, "|"), []string{"a", "b c"}); strings.Join(got, "|") != c.want {
			t.Errorf("with(%s) = %q, want %s", c.command, got, c.want)
		}
	}
}

func TestEach(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]bool{
		"sh {}":                 true,
		"/bin/bash -eu {}":      true,
		"ruby -Itest {} -v":     true,
		"sh run.sh {}":          false,
		"sh -c {}":              true,
		"node --test {}":        false,
		"node {}":               true,
		"python3 -m pytest {}":  false,
		"npx mocha {}":          false,
		"phpunit {file}":        true,
		"sh -c cat\u00a0{file}": true,
	} {
		if got := each(strings.Fields(command)); got != want {
			t.Errorf("each(%s) = %v, want %v", command, got, want)
		}
	}
}

func TestHasPlace(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]bool{"a {}": true, "a -x={file}": true, "a b": false} {
		if got := HasPlace(strings.Fields(command)); got != want {
			t.Errorf("HasPlace(%s) = %v, want %v", command, got, want)
		}
	}
}

// What chose the files is left out, and what may hold a password.
func TestAgain(t *testing.T) {
	t.Parallel()
	args := strings.Fields("exec --split a --env A=b --split=c --shards 3 --server postgres://u:secret@h/d --superuser -- run --split {}")
	args = slices.Insert(args, 1, "--migrate", "make it")
	if got, want := Again(args), "pgcell exec --migrate 'make it' --env A=b --superuser --"; got != want {
		t.Errorf("Again(%q) = %s, want %s", args, got, want)
	}
}
