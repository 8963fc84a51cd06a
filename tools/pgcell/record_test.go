package pgcell_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgcell/pgcell/tools/pgcell"
)

// recordChild makes this process one whose tests get databases by Open and Tx.
const recordChild = "PGCELL_TEST_RECORD"

func TestRecordChildOpen(t *testing.T) {
	ofChild(t)
	t.Run("sub", func(t *testing.T) { // what a suite sets up has no t
		if _, err := pgcell.Open(context.Background(), shop); err != nil {
			t.Fatal(err)
		}
	})
	done := make(chan error)
	go func() {
		_, err := pgcell.Open(context.Background(), shop)
		done <- err
	}()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestRecordChildTx(t *testing.T) {
	ofChild(t)
	pgcell.Tx(t, shop)
	pgcell.Tx(t, shop)
	t.Fail()
}

func ofChild(t *testing.T) {
	t.Helper()
	if os.Getenv(recordChild) == "" {
		t.Skip("runs as a child of TestRecords alone")
	}
}

// TestRecords reads what is recorded of Open and of Tx: the first of a process tells how long the server took, so that
// the recorded times can leave it out, and Open finds the test that called it.
func TestRecords(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		run  string
		want []string // test, way, failed
	}{
		{"TestRecordChildOpen", []string{"TestRecordChildOpen cloned", "pgcell.Open cloned"}},
		{"TestRecordChildTx", []string{"TestRecordChildTx shared failed", "TestRecordChildTx shared failed"}},
	} {
		out := t.TempDir()
		cmd := exec.Command(os.Args[0], "-test.run=^"+c.run+"$", "-test.count=1")
		cmd.Env = append(os.Environ(), recordChild+"=1", "TEST_UNDECLARED_OUTPUTS_DIR="+out, "TEST_UNDECLARED_OUTPUTS_ZIP=",
			"TEST_TOTAL_SHARDS=")
		said, _ := cmd.CombinedOutput() // one of them fails on purpose
		text, err := os.ReadFile(filepath.Join(out, "pgcell", "cells.jsonl"))
		if err != nil {
			t.Fatalf("%s: %v\n%s", c.run, err, said)
		}
		lines := strings.Split(strings.TrimSpace(string(text)), "\n")
		if len(lines) != len(c.want) {
			t.Fatalf("%s: %d records, want %d:\n%s", c.run, len(lines), len(c.want), text)
		}
		longest := 0.0
		for i, line := range lines {
			var r struct {
				Test, Made    string
				Failed        bool
				CellSeconds   float64 `json:"cell_seconds"`
				ServerSeconds float64 `json:"server_seconds"`
			}
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatal(err)
			}
			got := r.Test + " " + r.Made
			if r.Failed {
				got += " failed"
			}
			if got != c.want[i] || r.ServerSeconds > r.CellSeconds {
				t.Errorf("%s: record %s, want one of %q that took no longer than its server's start", c.run, line, c.want[i])
			}
			longest = max(longest, r.ServerSeconds)
		}
		if longest < 0.01 { // a server takes longer
			t.Errorf("%s: %v s for the server's start, want the time that it took:\n%s", c.run, longest, text)
		}
	}
}
