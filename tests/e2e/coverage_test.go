package e2e_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pgcell/pgcell/tests/internal/nested"
)

// Coverage of a Go library and of a suite with cells: what the shards of a test ran, also by way of pg_test, is merged into
// one report of all tests. The tools that merge come from the network, or are those of tools/closednet.
func TestCoverage(t *testing.T) {
	dir := cloneOf(t, "smoke")
	nested.MustWrite(t, filepath.Join(dir, "greet", "BUILD.bazel"), `load("@pgcell//tools/rules:defs.bzl", "pg_go_test", "pg_test")
load("@rules_go//go:def.bzl", "go_library", "go_test")

go_library(name = "greet", srcs = ["greet.go"], importpath = "example.com/smoke/greet")

go_test(name = "greet_test", srcs = ["greet_test.go"], embed = [":greet"], shard_count = 2)

pg_test(name = "greet_pg_test", shard_count = 2, test = ":greet_test")

pg_go_test(name = "greet_versions_test", srcs = ["greet_test.go"], embed = [":greet"], postgres = ["18"])
`)
	nested.MustWrite(t, filepath.Join(dir, "greet", "greet.go"), `package greet

func Hello(name string) string {
	if name == "" {
		return "Hello!"
	}
	return "Hello, " + name
}

func unused() int {
	return 1
}
`)
	nested.MustWrite(t, filepath.Join(dir, "greet", "greet_test.go"), `package greet

import "testing"

func TestNobody(t *testing.T) { Hello("") }

func TestAnn(t *testing.T) { Hello("Ann") }
`)
	r := bazel(t, dir, "coverage", "--combined_report=lcov", "//...")
	r.EnsureOutput(t, 0, "4 tests pass")
	found := regexp.MustCompile(`LCOV coverage report is located at (\S+)`).FindStringSubmatch(r.Output)
	if found == nil {
		t.Fatalf("Bazel names no report:\n%s", r.Output)
	}
	// Each shard of the first two targets runs one of two tests: line 4 runs in both, lines 5 and 7 in one, line 11 in none. The
	// third target runs both tests.
	text, err := os.ReadFile(found[1])
	if err != nil {
		t.Fatal(err)
	}
	_, record, _ := strings.Cut(string(text), "SF:greet/greet.go\n")
	record, _, _ = strings.Cut(record, "end_of_record")
	for _, line := range []string{"DA:4,6", "DA:5,3", "DA:7,3", "DA:11,0"} {
		if !strings.Contains(record, line+"\n") {
			t.Errorf("the report has no line %q:\n%s", line, text)
		}
	}
}

// A query of all that depends on a target loads every test's own dependencies, Bazel's coverage tools among them.
func TestQueryOfReverseDependencies(t *testing.T) {
	dir := cloneOf(t, "smoke")
	r := bazel(t, dir, "query", "--output=label", "--noshow_progress", "rdeps(//..., //:template)")
	r.EnsureOutput(t, 0, "//:template\n", "//:smoke_test\n")
}
