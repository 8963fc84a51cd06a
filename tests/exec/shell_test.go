package exec_test

import (
	"slices"
	"strings"
	"testing"
)

// The test files of a script have databases of their own if their command line tells them apart.
func TestShell(t *testing.T) {
	t.Parallel()
	c := call{suite: "shell", flags: []string{"--migrations", "migrations"}}
	if r := onOne(t, c, "sh suite.sh"); r.code != 1 {
		t.Errorf("on one database: %v; want a failed test", r)
	}
	c.run(t, "sh", "suite.sh").ensure(t, 1) // a script is no runner that pgcell knows
	own := c
	own.flags = append(slices.Clone(c.flags), "--worker", `^sh test_\w+\.sh`)
	own.run(t, "sh", "suite.sh").ensure(t, 0)
	own.flags = append(slices.Clone(c.flags), "--split", "test_*.sh", "--shards", "2")
	own.run(t, "sh", "{}").ensure(t, 0)
}

// A file that --file writes names the database, and yet each process has its own.
func TestConfigurationFile(t *testing.T) {
	t.Parallel()
	c := call{suite: t.TempDir(), flags: []string{"--migrations", "migrations", "--file", "conf/test.conf=conf/test.conf.tmpl"}}
	mustCopy(t, "conf", c.suite)            // nothing may be written to the source tree
	c.run(t, "sh", "suite.sh").ensure(t, 1) // both processes are the command's, so they share a database
	c.flags = append(c.flags, "--worker", `^sh test_\w+\.sh`)
	c.run(t, "sh", "suite.sh").ensure(t, 0)
}

// A suite that drops and makes its own database, and one that makes roles and changes the server, run twice at once: that
// fails on one server, and passes where each process has a server.
func TestOwnDatabase(t *testing.T) {
	t.Parallel()
	const twice = `go test -vet=off -count=1 ./... & go test -vet=off -count=1 ./...; code=$?; wait $! && exit $code`
	c := call{suite: "owndb", flags: []string{"--isolate", "server", "--database", "app_test", "--user", "app"}}
	// All are the command's without the hook and the names of test binaries.
	shared := `GOFLAGS= go test -c -o "$TMPDIR/" ./... && cd "$TMPDIR" && for f in *.test; do mv "$f" "${f%.test}"; done
./drops & one=$!; ./drops & two=$!; ./changes & three=$!; ./changes; code=$?; wait $one && wait $two && wait $three && exit $code`
	one := c
	one.environ = []string{"TMPDIR=" + t.TempDir()}
	if r := one.run(t, "sh", "-c", shared); r.code == 0 || !strings.Contains(r.stdout, "--- FAIL") {
		t.Errorf("on one server: %v; want failed tests", r)
	}
	c.run(t, "sh", "-c", twice).ensure(t, 0, "ok  \texample.com/owndb/drops", "ok  \texample.com/owndb/changes")
}
