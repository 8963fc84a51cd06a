package bazel_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/bazel"
)

func TestParseQuery(t *testing.T) {
	t.Parallel()
	got, err := bazel.ParseQuery([]byte(`<?xml version="1.1" encoding="UTF-8" standalone="no"?>
<query version="2">
  <rule class="sh_test" name="//z:z"/>
  <rule class="go_test" name="@@//a/b:c_test">
    <list name="tags"><string value="x"/><string value="y"/></list>
    <list name="srcs"><label value="//a/b:c_test.go"/></list>
    <list name="deps"><label value="//a/b:d"/></list>
    <list name="embed"><label value="//a/b:lib"/></list>
  </rule>
</query>`))
	if err != nil {
		t.Fatal(err)
	}
	want := []*bazel.Rule{
		{Label: "//z:z", Kind: "sh_test"},
		{Label: "@@//a/b:c_test", Kind: "go_test", Tags: []string{"x", "y"}, Srcs: []string{"//a/b:c_test.go"},
			Embed: []string{"//a/b:lib"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("rules differ (-want +got):\n%s", diff)
	}
	if r := got[1]; r.Package() != "a/b" || r.Name() != "c_test" || !r.HasTag("y") || r.HasTag("z") || !r.IsTest() {
		t.Errorf("%s: package %q, name %q", r.Label, r.Package(), r.Name())
	}
	for text, want := range map[string]string{
		"no xml":                          "read Bazel's query: EOF",
		`<query><rule name="x"/></query>`: `read Bazel's query: rule "x": want a label as its name`,
	} {
		if _, err := bazel.ParseQuery([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("ParseQuery(%q) = %v, want %s", text, err, want)
		}
	}
}

// mustClient gives a client whose Bazel is a shell script.
func mustClient(t *testing.T, script string) *bazel.Client {
	t.Helper()
	root := t.TempDir()
	program := filepath.Join(root, "bazel")
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"+script), 0o777); err != nil {
		t.Fatal(err)
	}
	return &bazel.Client{Program: program, Root: root, Env: os.Environ(), NoWait: true}
}

// A refused query gives Bazel's exit code, and its messages go where they should.
func TestQueryRefused(t *testing.T) {
	t.Parallel()
	var messages strings.Builder
	_, err := mustClient(t, "echo \"$@\" >&2; exit 7").Query([]string{"tests(//x)"}, &messages)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 7 {
		t.Errorf("Query = %v, want exit code 7", err)
	}
	if want := "--noblock_for_lock query --output=xml tests(//x)\n"; messages.String() != want {
		t.Errorf("Bazel was called with %q, want %q", messages.String(), want)
	}
}
