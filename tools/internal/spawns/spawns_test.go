package spawns_test

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/spawns"
)

// text adds a field of a string or message to a message of protocol buffers.
func text(message []byte, field int, s string) []byte {
	message = binary.AppendUvarint(message, uint64(field)<<3|2)
	return append(binary.AppendUvarint(message, uint64(len(s))), s...)
}

func pair(name, value string) string { return string(text(text(nil, 1, name), 2, value)) }

func file(path, digest string) string {
	return string(append(text(text(nil, 1, path), 2, string(text(text(nil, 1, digest), 3, "SHA-256"))), 3<<3, 1))
}

// entry is an execution of a label, with more fields behind it.
func entry(label string, more ...func([]byte) []byte) []byte {
	m := text(text(text(nil, 18, label), 10, "TestRunner"), 5, "bazel-out/k8-fastbuild/testlogs/a/b_test/test.log")
	for _, add := range more {
		m = add(m)
	}
	return append(binary.AppendUvarint(nil, uint64(len(m))), m...)
}

func field(number int, s string) func([]byte) []byte {
	return func(m []byte) []byte { return text(m, number, s) }
}

func mustLog(t *testing.T, entries ...[]byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log")
	var all []byte
	for _, e := range entries {
		all = append(all, e...)
	}
	if err := os.WriteFile(path, all, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func run(n int) spawns.Run {
	return spawns.Run{ID: fmt.Sprint(n), Start: time.Date(2026, 11, 27, 12, n, 0, 0, time.UTC)}
}

func mustActions(t *testing.T, s *spawns.Store) []*spawns.Action {
	t.Helper()
	all, err := s.Actions()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestKeep reads all that is kept of an execution, and nothing of other repositories' actions.
func TestKeep(t *testing.T) {
	t.Parallel()
	s := spawns.In(filepath.Join(t.TempDir(), "new"))
	log := mustLog(t, entry("@@//a:b_test",
		field(1, "bazel-out/k8-opt-exec-ST-1/bin/tool"), field(1, "--password=hunter2"), field(1, "--token"), field(1, "hunter2"),
		field(2, pair("LANG", "C")), field(2, pair("DB_PASSWORD", "hunter2")), field(2, pair("URL", "postgres://u:hunter2@h/d")),
		field(3, string(text(nil, 1, pair("OSFamily", "linux")))),
		field(4, file("a/x.sql", "0123456789abcdef0123")), field(4, file("external/r~/1", "1")), field(4, file("external/r~/2", "2")),
		field(4, file("bazel-out/k8/bin/a/b.runfiles/_main/a/y", "3")), field(11, file("bazel-out/k8/bin/a/out", "4")),
		func(m []byte) []byte { return append(m, 13<<3, 1, 15<<3, 1) },
	), entry("@@rules_go//x:y"))
	if err := s.Keep(log, "", run(1)); err != nil {
		t.Fatal(err)
	}
	all := mustActions(t, s)
	if len(all) != 1 {
		t.Fatalf("%d actions are kept, want 1", len(all))
	}
	got := all[0].Last.Execution
	shared := got.Inputs["external/r~"]
	want := spawns.Execution{
		Label: "//a:b_test", Mnemonic: "TestRunner", Cached: true, Failed: true,
		Args:     []string{"bazel-out/bin/tool", "--password=*** #" + got.Args[1][len(got.Args[1])-4:], "--token", got.Args[3]},
		Env:      map[string]string{"LANG": "C", "DB_PASSWORD": got.Env["DB_PASSWORD"], "URL": got.Env["URL"]},
		Platform: map[string]string{"OSFamily": "linux"},
		Inputs:   map[string]string{"a/x.sql": "0123456789abcdef", "a/y": "3", "external/r~": shared},
		Outputs:  map[string]string{"a/out": "4"},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(spawns.Execution{})); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	if len(shared) != 16 {
		t.Errorf("the digest of two files of a repository is %q", shared)
	}
	if kept := fmt.Sprint(got); strings.Contains(kept, "hunter2") || !strings.HasPrefix(got.Env["DB_PASSWORD"], "***") {
		t.Errorf("a secret is kept: %s", kept)
	}
}

func TestKeepTellsRunsApart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := spawns.In(dir)
	keep := func(n int, variant, value string) {
		t.Helper()
		if err := s.Keep(mustLog(t, entry("//a:b_test", field(2, pair("N", value)))), variant, run(n)); err != nil {
			t.Fatal(err)
		}
	}
	keep(1, "", "one")
	keep(2, "", "two")
	keep(2, "", "two, again") // a second call of the same run
	keep(3, "18", "other")
	for _, a := range mustActions(t, s) {
		switch last := a.Last.Env["N"]; {
		case last == "other" && a.Before == nil:
		case last == "two, again" && a.Before != nil && a.Before.Env["N"] == "one":
		default:
			t.Errorf("kept %q, and before that %v", last, a.Before)
		}
	}
	info, err := os.Stat(filepath.Join(dir, "executions.json.zst"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file: %v, %v, want one of mode 0600", info.Mode(), err)
	}
	before := info.ModTime()
	if err := s.Keep(mustLog(t), "", run(4)); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(filepath.Join(dir, "executions.json.zst")); err != nil || !info.ModTime().Equal(before) {
		t.Errorf("an empty log: %v, and the file was written anew", err)
	}
}

// TestDamage reads logs that are cut or are none, and a store that is damaged, which begins anew.
func TestDamage(t *testing.T) {
	t.Parallel()
	whole := entry("//a:b_test", field(4, file("a", "1")))
	for what, log := range map[string][]byte{
		"cut": whole[:len(whole)-3], "text": []byte("not a log at all, but a text\n"), "huge": {0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
		"a field beyond the end": {2, 1<<3 | 2, 9}, "a group": {2, 1<<3 | 3, 0},
	} {
		if err := spawns.In(t.TempDir()).Keep(mustLog(t, log), "", run(1)); err == nil {
			t.Errorf("Keep of a log that is %s = nil, want an error", what)
		}
	}
	dir := t.TempDir()
	s, kept := spawns.In(dir), filepath.Join(dir, "executions.json.zst")
	if err := os.WriteFile(kept, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Actions(); err == nil || !strings.Contains(err.Error(), kept) || !strings.Contains(err.Error(), "remove it") {
		t.Errorf("Actions of a damaged file = %v, want one that names it", err)
	}
	if err := s.Keep(mustLog(t, whole), "", run(1)); err != nil || len(mustActions(t, s)) != 1 {
		t.Errorf("Keep = %v, want the file written anew", err)
	}
}

// TestBound keeps more actions than there is room for.
func TestBound(t *testing.T) {
	t.Parallel()
	s := spawns.In(t.TempDir())
	var entries [][]byte
	for i := range 20_001 {
		entries = append(entries, entry(fmt.Sprintf("//a:t%d", i)))
	}
	if err := s.Keep(mustLog(t, entries[:1]...), "", run(1)); err != nil {
		t.Fatal(err)
	}
	if err := s.Keep(mustLog(t, entries[1:]...), "", run(2)); err != nil {
		t.Fatal(err)
	}
	all := mustActions(t, s)
	if len(all) != 20_000 || all[0].Last.Label == "//a:t0" {
		t.Errorf("%d actions are kept, the first is %s; want 20000, and the oldest gone", len(all), all[0].Last.Label)
	}
}

func TestName(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{
		"a/b.sql":                               "a/b.sql",
		"bazel-out/k8-fastbuild/bin/a/b.pgcell": "a/b.pgcell",
		"bazel-out/k8/bin/a/b_/b.runfiles/_main/a/b.pgcell":          "a/b.pgcell",
		"bazel-out/k8/bin/a/b_/b.runfiles/_repo_mapping":             "b.runfiles/_repo_mapping",
		"bazel-out/k8/bin/a/b_/b.runfiles/rules_go~/x/y":             "external/rules_go~",
		"bazel-out/k8/bin/external/gazelle~~go_deps~pgx/pgx.a":       "external/gazelle~~go_deps~pgx",
		"external/bazel_tools/tools/test/test-setup.sh":              "external/bazel_tools",
		"bazel-out/k8/bin/a/b.runfiles/_main/external/bazel_tools/x": "external/bazel_tools",
	} {
		if got := spawns.Name(path); got != want {
			t.Errorf("Name(%q) = %q, want %q", path, got, want)
		}
	}
}
