//go:build linux

// Package cache_test runs Bazel and pgcell on two machines with a remote cache: a real nginx, behind a proxy that does
// what networks do. The machines differ in user, home, workspace and output base.
//
// CI fills the cache by one machine and has the other execute nothing. With PGCELL_FAULTS=all, which
// ./run_tests.sh //tests/cache:faults_test sets, edits and faults are tried too, and a table of the faults is printed.
package cache_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tests/internal/nested"
)

// scratch holds the machines.
var scratch string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	var err error
	if scratch, err = os.MkdirTemp("", "cache-pgcell-"); err != nil {
		fmt.Fprintln(os.Stderr, "make a directory for workspaces:", err)
		return 1
	}
	defer os.RemoveAll(scratch)
	code := m.Run()
	for name, m := range machines {
		if err := m.bazel.Shutdown(m.dir); err != nil {
			fmt.Fprintf(os.Stderr, "shut Bazel's server of machine %s down: %v\n", name, err)
			code = 1
		}
	}
	return code
}

// wantsAll tells whether all that takes long is to be tried as well.
func wantsAll() bool { return os.Getenv("PGCELL_FAULTS") == "all" }

// unknown is a state of the workspace that no cache knows: seconds since 1970.
var unknown = int(time.Now().Unix())

// newState gives a state of the workspace that no cache knows.
func newState() int {
	unknown++
	return unknown
}

// serverData gives the directory in which a server's files stay between runs of this test: what compiling the libraries
// gave. It is emptied when it has become large.
func serverData(t *testing.T) string {
	t.Helper()
	base, err := nested.DefaultOutputBase()
	if err != nil {
		t.Fatal(err)
	}
	data := base + "-nginx"
	var size int64
	if _, err := os.Stat(filepath.Join(data, "cas")); err == nil {
		walk(t, data, func(path string) {
			if info, err := os.Stat(path); err == nil {
				size += info.Size()
			}
		})
	}
	if size > 2<<30 {
		if err := os.RemoveAll(data); err != nil {
			t.Fatal(err)
		}
	}
	return data
}

// TestMachines has machine A fill the cache, and machine B, another in all that must not matter, execute nothing.
func TestMachines(t *testing.T) {
	n := startNginx(t, serverData(t))
	a, b := newMachine(t, "a", false), newMachine(t, "b", true)
	a.cache, b.cache = n.url(), n.url()
	state := newState()
	a.setState(t, state, state)
	b.setState(t, state, state)
	filled := a.test(t)
	all := map[string]int{usersTest: 2, namesTest: 1, ordersTest: 2}
	ensureRan(t, filled, all, "//orders:template", "//users:template")
	ensureNothingRan(t, b.test(t))

	if !wantsAll() {
		return
	}
	t.Run("templates anew", func(t *testing.T) { ensureSameTemplates(t, a, b) })
	t.Run("an edited test", func(t *testing.T) {
		other := fmt.Sprintf("func TestEdit%d(*testing.T) {}\n", newState())
		ensureEdit(t, a, b, func(m *machine) { m.setTests(t, "users/users", other) }, map[string]int{usersTest: 2})
	})
	t.Run("an edited migration", func(t *testing.T) {
		other := newState()
		ensureEdit(t, a, b, func(m *machine) { m.setTemplate(t, "users", other) },
			map[string]int{usersTest: 2, namesTest: 1}, "//users:template")
	})
}

// ensureSameTemplates has A build its templates once more, and put them into the cache: they are the same, so neither
// machine runs a test.
func ensureSameTemplates(t *testing.T, a, b *machine) {
	t.Helper()
	bin := a.bazel.Run(t, a.dir, "info", append(a.flags(), "bazel-bin")...)
	bin.EnsureSuccess(t)
	for _, name := range []string{"users", "orders"} {
		if err := os.Remove(filepath.Join(lastLine(bin.Output), name, "template.pgcell")); err != nil {
			t.Fatal(err)
		}
	}
	again := a.test(t, "--noremote_accept_cached")
	ensureRan(t, again, map[string]int{}, "//orders:template", "//users:template")
	ensureOnlyOurs(t, again)
	b.bazel.Run(t, b.dir, "clean").EnsureSuccess(t)
	ensureNothingRan(t, b.test(t))
}

// ensureEdit edits the workspace of both machines. Each executes what the edit concerns, without the other's results,
// and nothing else.
func ensureEdit(t *testing.T, a, b *machine, edit func(m *machine), shards map[string]int, templates ...string) {
	t.Helper()
	edit(a)
	edit(b)
	for _, r := range []nested.Result{a.test(t, "--noremote_upload_local_results"), b.test(t)} {
		ensureRan(t, r, shards, templates...)
		ensureOnlyOurs(t, r)
	}
}
