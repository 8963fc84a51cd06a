package pgcell_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/golden"
	"github.com/pgcell/pgcell/tools/internal/migrations"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// firstCellChild makes this process a fresh one that asks for its first cell, and says what to clone.
const firstCellChild = "PGCELL_TEST_FIRST_CELL"

// firstCellSaid is what the child prints once it has queried its cell.
const firstCellSaid = "first cell: queried"

// thirtyTables is a schema of the size that the design speaks of.
func thirtyTables() fstest.MapFS {
	files := fstest.MapFS{}
	for i := range 30 {
		files[fmt.Sprintf("%02d.sql", i)] = &fstest.MapFile{Data: fmt.Appendf(nil,
			"CREATE TABLE t%[1]d (id bigserial PRIMARY KEY, name text NOT NULL UNIQUE, at timestamptz DEFAULT now()); CREATE INDEX ON t%[1]d (at);", i)}
	}
	return files
}

// TestFirstCellChild is the fresh process's part of BenchmarkFirstCell.
func TestFirstCellChild(t *testing.T) {
	if os.Getenv(firstCellChild) == "" {
		t.Skip("runs as a child of BenchmarkFirstCell alone")
	}
	cell := pgcell.New(t)
	if got := mustScan[int](t, cell, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"); got != 30 {
		t.Errorf("%d tables, want 30", got)
	}
	fmt.Println(firstCellSaid)
}

// BenchmarkFirstCell measures from the execution of a process until it has asked for its first cell and queried it:
// with a golden cluster, and with initdb, start and migrations in its place. The process alone, without a cell, is the
// floor.
func BenchmarkFirstCell(b *testing.B) {
	ctx := context.Background()
	install, err := binaries.Find(ctx, binaries.DefaultSearch(os.Getenv))
	if err != nil {
		b.Fatal(err)
	}
	scripts, err := migrations.FromFS(thirtyTables(), nil)
	if err != nil {
		b.Fatal(err)
	}
	recipe := golden.Recipe{Migrations: scripts}
	path, err := golden.Cached(ctx, b.TempDir(), install, recipe, golden.Options{})
	if err != nil {
		b.Fatal(err)
	}
	// child gives the time until the child says the word, or ends without one.
	child := func(pattern string) time.Duration {
		cmd := exec.Command(os.Args[0], "-test.run="+pattern)
		cmd.Env = append(os.Environ(), firstCellChild+"=1", "PGCELL_TEMPLATE="+path)
		out, err := cmd.StdoutPipe()
		if err != nil {
			b.Fatal(err)
		}
		start := time.Now()
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		var took time.Duration
		var all []string
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if all = append(all, lines.Text()); lines.Text() == firstCellSaid {
				took = time.Since(start)
			}
		}
		if took == 0 {
			took = time.Since(start)
		}
		if err := cmd.Wait(); err != nil {
			b.Fatalf("%v\n%s", err, strings.Join(all, "\n"))
		}
		return took
	}
	b.Run("golden", func(b *testing.B) { median(b, func() time.Duration { return child("^TestFirstCellChild$") }) })
	b.Run("process", func(b *testing.B) { median(b, func() time.Duration { return child("^$") }) })
	b.Run("initdb", func(b *testing.B) {
		median(b, func() time.Duration {
			start := time.Now()
			if err := golden.BuildFile(ctx, b.TempDir()+"/x", install, recipe, golden.Options{}); err != nil {
				b.Fatal(err)
			}
			return time.Since(start)
		})
	})
}

// median reports the median of b.N calls, in milliseconds: the machine's noise has a long tail.
func median(b *testing.B, do func() time.Duration) {
	var took []time.Duration
	for b.Loop() {
		took = append(took, do())
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms-median")
}
