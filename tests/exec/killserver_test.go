package exec_test

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// On a server that others manage, the next run drops what a killed run has left there.
func TestKillWithServer(t *testing.T) {
	t.Parallel()
	url := mustServer(t)
	c := call{suite: "shell", flags: []string{"--migrations", "migrations", "--server", url}}
	start := time.Now()
	c.run(t, "psql", "-qc", "SELECT 1").ensure(t, 0) // the template is made, too
	span := time.Since(start)
	for _, whom := range []string{"pgcell", "the command", "all"} {
		for _, moment := range moments(t, span) {
			next := killThere(t, c, whom, moment)
			// Until the server notices that a client is gone, its databases belong to somebody who may be alive.
			for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
				next()
				left := mustDatabases(t, url)
				if left == "" {
					break
				}
				if time.Now().After(deadline) {
					t.Fatalf("%v after the start, %s was killed, and a minute later these databases are left: %s", moment, whom, left)
				}
			}
		}
	}
}

// killThere kills a run that uses the server, and gives the next run.
func killThere(t *testing.T, c call, whom string, after time.Duration) (next func()) {
	t.Helper()
	mark := newMark(t)
	c.environ = append(slices.Clone(c.environ), mark)
	cmd, dir := c.command(t, "sh", "-c", `psql -qc 'SELECT pg_sleep(3)' & psql -qc 'SELECT 1'; wait`)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(after)
	t.Logf("kill %s after %v", whom, after)
	strike(cmd, whom, mark)
	cmd.Wait()
	ensureEnded(t, mark)
	age(t, dir)
	return func() { runNext(t, c, cmd) }
}

// mustServer starts a server as others would manage one, and gives the URL of a superuser.
func mustServer(t *testing.T) string {
	t.Helper()
	c := call{suite: "shell", flags: []string{"--isolate", "server", "--database", "app"}}
	cmd, _ := c.command(t, "sh", "-c", `psql -qc 'SELECT 1' && echo "url $DATABASE_URL end" && cat`)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Wait() // it may have been told to end already, as the test has
	})
	said := regexp.MustCompile(`url (\S+) end`)
	return said.FindStringSubmatch(mustRead(t, out, said))[1]
}

// mustDatabases lists the databases of test processes on a server.
func mustDatabases(t *testing.T, url string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "psql", url, "-Atc", `SELECT datname FROM pg_database WHERE datname ~ '^test_db_'`).CombinedOutput()
	if err != nil {
		t.Fatalf("list databases: %v: %s", err, out)
	}
	return strings.TrimSpace(string(out))
}
