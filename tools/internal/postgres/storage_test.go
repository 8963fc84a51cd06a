package postgres_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/keeper"
	"github.com/pgcell/pgcell/tools/internal/postgres"
	"github.com/pgcell/pgcell/tools/internal/storage"
)

// TestStorage looks at servers in memory and on disk, contained in both ways. One server serves all questions, since
// initdb takes its time.
func TestStorage(t *testing.T) {
	for _, how := range bothWays {
		for _, where := range []storage.Kind{storage.Memory, storage.Disk} {
			t.Run(string(how)+"/"+string(where), func(t *testing.T) {
				t.Parallel()
				s := mustStart(t, postgres.Config{Containment: how, Storage: where})
				ensureStorage(t, s, where)
				if s.InMemory() && s.Containment() == keeper.Namespaces {
					ensureHugePages(t, s)
				}
				spare := ensureSpare(t, s)
				ensureFree(t, s)
				if err := s.Close(); err != nil {
					t.Error(err)
				}
				for _, dir := range []string{s.DataDir(), filepath.Dir(spare)} {
					if _, err := os.Lstat(dir); !os.IsNotExist(err) {
						t.Errorf("after Close, Lstat(%q) = %v, want not exist", dir, err)
					}
				}
				if _, _, err := s.Free(t.Context()); err == nil {
					t.Error("Free() of a closed server succeeds, want why it has ended")
				}
			})
		}
	}
}

func ensureStorage(t *testing.T, s *postgres.Server, where storage.Kind) {
	t.Helper()
	if got, want := s.InMemory(), where == storage.Memory; got != want {
		t.Errorf("InMemory() = %v, want %v (data in %s)", got, want, s.DataDir())
	}
	want := string(where) + " in " + filepath.Dir(s.DataDir())
	if where == storage.Memory && s.Containment() == keeper.Namespaces {
		want = "memory, at most "
	}
	if got := s.Storage(); !strings.HasPrefix(got, want) {
		t.Errorf("Storage() = %q, want %q", got, want)
	}
}

// ensureHugePages asserts that large pages are taken for what is in memory, where the kernel has some.
func ensureHugePages(t *testing.T, s *postgres.Server) {
	t.Helper()
	if _, err := os.Stat("/sys/kernel/mm/transparent_hugepage"); err != nil {
		t.Log("the kernel has no huge pages")
		return
	}
	conn, err := pgx.Connect(t.Context(), s.URL("postgres", "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	var mounts string
	if err := conn.QueryRow(t.Context(), "SELECT pg_read_file('/proc/self/mounts')").Scan(&mounts); err != nil {
		t.Fatal(err)
	}
	at := " " + filepath.Dir(s.DataDir()) + " tmpfs "
	last := mounts[strings.LastIndex(mounts, at)+1:] // it covers the others
	if line, _, _ := strings.Cut(last, "\n"); !strings.Contains(line, "huge=within_size") {
		t.Errorf("no huge pages at%sin\n%s", at, mounts)
	}
}

// ensureSpare uses the spare directory, and gives its path.
func ensureSpare(t *testing.T, s *postgres.Server) string {
	t.Helper()
	dir, err := s.Spare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if again, err := s.Spare(t.Context()); again != dir || err != nil {
		t.Errorf("the second Spare() = %q, %v, want %q", again, err, dir)
	}
	conn, err := pgx.Connect(t.Context(), s.URL("postgres", "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	for _, sql := range []string{
		"CREATE TABLESPACE spare LOCATION '" + dir + "'",
		"CREATE TABLE filled TABLESPACE spare AS SELECT generate_series(1, 10000)",
	} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 1 {
		t.Errorf("ReadDir(%q) = %v, %v, want the tablespace, seen from outside", dir, entries, err)
	}
	return dir
}

func ensureFree(t *testing.T, s *postgres.Server) {
	t.Helper()
	free, size, err := s.Free(t.Context())
	if err != nil || free <= 0 || size < free {
		t.Errorf("Free() = %d, %d, %v, want some bytes, and not more than all", free, size, err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := s.Free(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("Free() of an ended context = %v, want %v", err, context.Canceled)
	}
	// Answers that come when nobody waits for them any more are not taken for those of later questions.
	for patience := range 20 {
		short, cancel := context.WithTimeout(t.Context(), time.Duration(patience)*20*time.Microsecond)
		s.Free(short)
		cancel()
		if dir, err := s.Spare(t.Context()); err != nil || dir == "" {
			t.Fatalf("after a Free() that nobody may have waited for, Spare() = %q, %v, want a directory", dir, err)
		}
	}
}

// TestTemporaryDirectoryAsAtStart is not parallel, since it sets a variable.
func TestTemporaryDirectoryAsAtStart(t *testing.T) {
	dir := mustOpenDir(t)
	t.Setenv("TMPDIR", dir)
	s := mustStart(t, postgres.Config{Storage: storage.Disk})
	spare, err := s.Spare(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{s.DataDir(), spare} {
		if strings.HasPrefix(path, dir) {
			t.Errorf("the server has %q, which goes with this test", path)
		}
	}
}

// TestTooSmallMemoryGivesWay starts a server in memory that is too small for a new cluster: it goes to disk, where
// nobody insists on memory.
func TestTooSmallMemoryGivesWay(t *testing.T) {
	t.Parallel()
	s := mustStart(t, postgres.Config{Containment: keeper.Namespaces, StorageLimit: 4 << 20})
	if s.InMemory() || !strings.HasPrefix(s.Storage(), "disk in ") {
		t.Errorf("with 4 MB of memory the data lies in %q, want disk", s.Storage())
	}
	if got := mustQuery(t, s, "select 'here'"); got != "here" {
		t.Errorf("got %q, want here", got)
	}
}

// TestLogStaysSmall writes more log than there is memory: old log gives way, and Free sees the rest.
func TestLogStaysSmall(t *testing.T) {
	t.Parallel()
	const limit = 160 << 20
	s := mustStart(t, postgres.Config{Containment: keeper.Namespaces, Storage: storage.Memory, StorageLimit: limit})
	before, size, err := s.Free(t.Context())
	if err != nil || size != limit {
		t.Fatalf("Free() = %d, %d, %v, want a size of %d", before, size, err, limit)
	}
	least := before
	for range 12 {
		got := mustQuery(t, s, "SELECT count(pg_logical_emit_message(false, '', repeat('x', 1000000)))::text FROM generate_series(1, 20)")
		if got != "20" {
			t.Fatalf("wrote %s messages, want 20", got)
		}
		free, _, err := s.Free(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		least = min(least, free)
	}
	if used := before - least; used < 10<<20 || used > 90<<20 {
		t.Errorf("240 MB of log took %d MB, want some, and not much more than 48", used>>20)
	}
}

// TestFullMemoryIsTold fills memory with a table, which a statement fails for, and then with the log, which the server
// crashes for.
func TestFullMemoryIsTold(t *testing.T) {
	t.Parallel()
	s := mustStart(t, postgres.Config{Containment: keeper.Namespaces, Storage: storage.Memory, StorageLimit: 120 << 20})
	conn, err := pgx.Connect(t.Context(), s.URL("postgres", "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	ensureTold := func(from int64, sql string) {
		t.Helper()
		if got := s.FullSince(from); got != "" {
			t.Errorf("before %s: FullSince(%d) = %q, want nothing", sql, from, got)
		}
		var err error
		for try := 0; try < 50 && err == nil; try++ {
			_, err = conn.Exec(t.Context(), sql)
		}
		got, want := s.FullSince(from), "the server's memory, at most 125 MB, was full while the test ran: set PGCELL_STORAGE=disk"
		if got != want {
			t.Errorf("%s: %v: FullSince(%d) = %q, want %q", sql, err, from, got, want)
		}
	}
	ensureTold(0, "CREATE TABLE large AS SELECT repeat(md5(n::text), 30) FROM generate_series(1, 200000) AS s (n)")
	if _, err := conn.Exec(t.Context(), "CREATE TABLE filler (x text); ALTER TABLE filler ALTER x SET STORAGE PLAIN"); err != nil {
		t.Fatal(err)
	}
	ensureTold(s.LogSize(), "INSERT INTO filler SELECT repeat('x', 7000) FROM generate_series(1, 500)")
	ensureTold(s.LogSize(), "SELECT count(pg_logical_emit_message(false, '', repeat('x', 1000000))) FROM generate_series(1, 20)")
}

// BenchmarkFree measures what a caller pays who asks before each cell.
func BenchmarkFree(b *testing.B) {
	install, err := binaries.Find(b.Context(), binaries.DefaultSearch(os.Getenv))
	if err != nil {
		b.Fatal(err)
	}
	s, err := postgres.Start(b.Context(), postgres.Config{Install: install})
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	for b.Loop() {
		if _, _, err := s.Free(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// What doctor says is what a server does.
func TestDiskReasonIsTheServersRule(t *testing.T) {
	t.Parallel()
	for _, how := range []keeper.Containment{keeper.Auto, keeper.Watchdog} {
		server := mustStart(t, postgres.Config{Install: mustInstall(t), Containment: how})
		share, reason := storage.DiskReason(server.Containment() == keeper.Namespaces)
		if got, want := reason == "" && share > 0, server.InMemory(); got != want {
			t.Errorf("%s: DiskReason() = %d, %q, and the server's data is in memory: %v", how, share, reason, want)
		}
	}
}
