package program_test

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// start runs this binary as a program that is no test. It gives the directory of its server's socket.
func start(t *testing.T, how string) (cmd *exec.Cmd, end func(), socketDir string) {
	t.Helper()
	cmd = exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), programVariable+"="+how, "GO_TEST_WRAP=0")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start program: got error %v, want none", err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	words := strings.Fields(line)
	if err != nil || len(words) != 3 || !strings.HasPrefix(words[1], "test_db_") {
		t.Fatalf("the program's cell: got %q, error %v, want its name and directory", line, err)
	}
	return cmd, func() { in.Close() }, words[2]
}

// A program that is no test has a cell, and however it ends, nothing is left.
func TestProgramLeavesNothing(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"close", "return", "kill -9"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			cmd, end, dir := start(t, how)
			if _, err := os.Stat(dir); err != nil {
				t.Errorf("while the program runs: got error %v, want a directory", err)
			}
			if how == "kill -9" {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
			end()
			if err := cmd.Wait(); (err == nil) != (how != "kill -9") {
				t.Errorf("the program ended with %v", err)
			}
			check.Until(t, "the server's directory is gone", func() bool {
				_, err := os.Stat(dir)
				return os.IsNotExist(err)
			})
		})
	}
}

// The tests do not run where the setup of Main fails.
func TestMainFails(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=TestMainsCell", "-test.v")
	cmd.Env = append(os.Environ(), programVariable+"=main fails", "GO_TEST_WRAP=0")
	out, err := cmd.CombinedOutput()
	if err == nil || !bytes.Contains(out, []byte("pgcell.Main: no seeds")) || bytes.Contains(out, []byte("=== RUN")) {
		t.Errorf("got error %v and\n%s, want exit status 1 and why", err, out)
	}
}

// Close ends what is connected, and the name is used for no other cell.
func TestClose(t *testing.T) {
	t.Parallel()
	cell, err := pgcell.Open(t.Context())
	if err != nil {
		t.Fatalf("open: got error %v, want none", err)
	}
	conn := check.Conn(t, cell.Config())
	for range 2 {
		if err := cell.Close(); err != nil {
			t.Errorf("close: got error %v, want none", err)
		}
	}
	check.Until(t, "the connection is ended", func() bool {
		_, err := conn.Exec(t.Context(), `SELECT 1`)
		return err != nil
	})
	check.Until(t, "cell does not exist", func() bool {
		conn, err := pgx.Connect(t.Context(), cell.URL())
		if err == nil {
			return conn.Close(t.Context()) != nil
		}
		return strings.Contains(err.Error(), "3D000")
	})
}

// A context that has ended is an error, and the next call works.
func TestOpenWithEndedContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := pgcell.Open(ctx); err == nil || err.Error() != "pgcell.Open: context canceled" {
		t.Errorf("open: got error %v, want that of the context", err)
	}
	cell, err := pgcell.Open(t.Context(), pgcell.Config{Empty: true})
	if err != nil {
		t.Fatalf("open: got error %v, want none", err)
	}
	check.Value(t, cell.Pool(), 1, `SELECT 1`)
	check.Value(t, check.Conn(t, cell.Config()), cell.Name(), `SELECT current_database()::text`)
	if err := cell.Close(); err != nil {
		t.Errorf("close: got error %v, want none", err)
	}
}
