package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/postgres"
)

func TestParseStorage(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]postgres.Storage{
		"": postgres.Auto, "auto": postgres.Auto, "memory": postgres.Memory, "disk": postgres.Disk,
	} {
		if got, err := postgres.ParseStorage(in); got != want || err != nil {
			t.Errorf("ParseStorage(%q) = %q, %v, want %q", in, got, err, want)
		}
	}
	const want = `PGCELL_STORAGE is "ram"; want auto, memory or disk`
	if _, err := postgres.ParseStorage("ram"); err == nil || err.Error() != want {
		t.Errorf("ParseStorage(ram) = %v, want %s", err, want)
	}
}

// TestStorage looks at servers in memory and on disk, contained in both ways. One server serves all questions, since
// initdb takes its time.
func TestStorage(t *testing.T) {
	for _, how := range bothWays {
		for _, where := range []postgres.Storage{postgres.Memory, postgres.Disk} {
			t.Run(string(how)+"/"+string(where), func(t *testing.T) {
				t.Parallel()
				s := mustStart(t, postgres.Config{Containment: how, Storage: where})
				ensureStorage(t, s, where)
				if s.InMemory() && s.Containment() == postgres.Namespaces {
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

func ensureStorage(t *testing.T, s *postgres.Server, where postgres.Storage) {
	t.Helper()
	if got, want := s.InMemory(), where == postgres.Memory; got != want {
		t.Errorf("InMemory() = %v, want %v (data in %s)", got, want, s.DataDir())
	}
	want := string(where) + " in " + filepath.Dir(s.DataDir())
	if where == postgres.Memory && s.Containment() == postgres.Namespaces {
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
	s := mustStart(t, postgres.Config{Storage: postgres.Disk})
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
	s := mustStart(t, postgres.Config{Containment: postgres.Namespaces, StorageLimit: 4 << 20})
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
	s := mustStart(t, postgres.Config{Containment: postgres.Namespaces, Storage: postgres.Memory, StorageLimit: limit})
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
	s := mustStart(t, postgres.Config{Containment: postgres.Namespaces, Storage: postgres.Memory, StorageLimit: 120 << 20})
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

func TestNoDirectoryOnDisk(t *testing.T) {
	t.Parallel()
	nowhere, parent := filepath.Join(t.TempDir(), "absent"), t.TempDir()
	err := postgres.HoldIn(nowhere, nowhere)
	for _, want := range []string{"no directory on disk serves; set TMPDIR to one", "make directory for a server", nowhere} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("HoldIn = %v, want it to contain %q", err, want)
		}
	}
	if err := postgres.HoldIn(nowhere, parent); err != nil {
		t.Errorf("HoldIn with a second directory = %v, want that", err)
	}
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

const (
	mb = 1 << 20
	gb = 1 << 30
)

// tree is a file system of a machine with so many bytes of memory available.
func tree(available int64) fs.FS {
	return fstest.MapFS{"proc/meminfo": &fstest.MapFile{Data: fmt.Appendf(nil, "MemAvailable:   %d kB\n", available/1024)}}
}

func TestChoose(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		want      postgres.Storage
		limit     int64
		available int64
		workers   int
		memory    bool
		size      int64
	}{
		{postgres.Auto, 0, 16 * gb, 4, true, 2 * gb},
		{postgres.Auto, 0, 4 * postgres.MinMemory, 2, true, postgres.MinMemory},
		{postgres.Auto, 0, 4*postgres.MinMemory - 4096, 2, false, 0},
		{postgres.Auto, 0, 0, 1, false, 0}, // nothing is known
		{postgres.Auto, 5 * mb, 0, 4, true, 5 * mb},
		{postgres.Memory, 0, 16 * gb, 4, true, 2 * gb},
		{postgres.Memory, 0, mb, 4, true, postgres.MinMemory},
		{postgres.Memory, 5 * mb, 0, 4, true, 5 * mb},
		{postgres.Disk, 0, 16 * gb, 4, false, 0},
		{postgres.Disk, 5 * mb, 16 * gb, 4, false, 0},
	} {
		memory, size := postgres.Choose(c.want, c.limit, tree(c.available), c.workers)
		if memory != c.memory || memory && size != c.size {
			t.Errorf("choose(%q, %d, %d available, %d) = %v, %d, want %v, %d",
				c.want, c.limit, c.available, c.workers, memory, size, c.memory, c.size)
		}
	}
}

// What doctor says is what a server does.
func TestDiskReasonIsTheServersRule(t *testing.T) {
	t.Parallel()
	for _, how := range []postgres.Containment{postgres.Auto, postgres.Watchdog} {
		server := mustStart(t, postgres.Config{Install: mustInstall(t), Containment: how})
		share, reason := postgres.DiskReason(server.Containment())
		if got, want := reason == "" && share > 0, server.InMemory(); got != want {
			t.Errorf("%s: DiskReason() = %d, %q, and the server's data is in memory: %v", how, share, reason, want)
		}
	}
}
