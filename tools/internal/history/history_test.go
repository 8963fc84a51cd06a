package history_test

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/history"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// shard makes shard index of total of //x:a; each test is "name" (passed) or "!name" (failed).
func shard(index, total int, seconds float64, tests ...string) history.Shard {
	s := history.Shard{
		Label: "//x:a", Shard: index, Shards: total, Run: 1, Attempt: 1, Status: "PASSED", Seconds: seconds,
		Start: noon, End: noon.Add(time.Duration(seconds * float64(time.Second))),
	}
	for _, name := range tests {
		t := history.Test{Name: name, Outcome: history.Passed, Seconds: 0.5, CellSeconds: 0.01}
		if name[0] == '!' {
			t.Name, t.Outcome, s.Status = name[1:], history.Failed, "FAILED"
		}
		s.Tests = append(s.Tests, t)
	}
	return s
}

func mustSave(t *testing.T, s *history.Store, at time.Duration, shards ...history.Shard) *history.Run {
	t.Helper()
	run := &history.Run{Start: noon.Add(at), End: noon.Add(at + time.Second), Workspace: "/ws", Shards: shards}
	if err := s.Save(run); err != nil {
		t.Fatal(err)
	}
	return run
}

func mustTimes(t *testing.T, s *history.Store) *history.Times {
	t.Helper()
	times, err := s.Times()
	if err != nil {
		t.Fatal(err)
	}
	return times
}

func ensureFailed(t *testing.T, s *history.Store, want ...string) {
	t.Helper()
	ids, err := s.LastFailed()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, id := range ids {
		got = append(got, id.Label+"::"+id.Name)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("LastFailed() differs (-want +got):\n%s", diff)
	}
}

func TestRunsComeBackNewestFirst(t *testing.T) {
	t.Parallel()
	s := history.Open(t.TempDir(), "/ws")
	if runs, err := s.Runs(10); err != nil || len(runs) != 0 {
		t.Fatalf("Runs of an empty history = %v, %v, want none", runs, err)
	}
	first := mustSave(t, s, 0, shard(0, 1, 2, "TestA"))
	second := mustSave(t, s, time.Minute, shard(0, 1, 3, "!TestA"))
	runs, err := s.Runs(10)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]*history.Run{second, first}, runs); diff != "" {
		t.Errorf("Runs(10) differs (-want +got):\n%s", diff)
	}
	if runs, _ := s.Runs(1); len(runs) != 1 || runs[0].ID != second.ID {
		t.Errorf("Runs(1) = %v, want the second alone", runs)
	}
}

func TestOldRunsGo(t *testing.T) {
	t.Parallel()
	s := history.Open(t.TempDir(), "/ws")
	for i := range history.KeptRuns + 2 {
		mustSave(t, s, time.Duration(i)*time.Second)
	}
	runs, err := s.Runs(1000)
	if err != nil || len(runs) != history.KeptRuns {
		t.Fatalf("%d runs, %v, want %d", len(runs), err, history.KeptRuns)
	}
	if oldest := runs[len(runs)-1].Start; !oldest.Equal(noon.Add(2 * time.Second)) {
		t.Errorf("the oldest is of %v, want that of the third run", oldest)
	}
}

func TestWorkspacesAreApart(t *testing.T) {
	t.Parallel()
	cache := t.TempDir()
	one, other := history.Open(cache, "/one/ws"), history.Open(cache, "/other/ws")
	mustSave(t, one, 0, shard(0, 1, 2, "!TestA"))
	ensureFailed(t, other)
	if rel, err := filepath.Rel(cache, one.Dir()); err != nil || !filepath.IsLocal(rel) {
		t.Errorf("Dir() = %s, want it in %s", one.Dir(), cache)
	}
}

func TestTimesAreThoseOfTheLastExecution(t *testing.T) {
	t.Parallel()
	s := history.Open(t.TempDir(), "/ws")
	mustSave(t, s, 0, shard(0, 2, 4), shard(1, 2, 6))
	cached, filtered, dead := shard(0, 2, 99), shard(1, 2, 1), shard(1, 2, 60)
	cached.Cached, filtered.Filter, dead.Status = true, "^TestA$", "TIMEOUT"
	mustSave(t, s, time.Second, cached, filtered, dead)
	times := mustTimes(t, s)
	for i, want := range []float64{4, 6} {
		if got := times.Seconds("//x:a", i, 2); got != want {
			t.Errorf("Seconds of shard %d = %v, want %v: neither cached, filtered nor stopped ones count", i, got, want)
		}
	}
	mustSave(t, s, 2*time.Second, shard(0, 2, 5))
	if got := mustTimes(t, s).Seconds("//x:a", 0, 2); got != 5 {
		t.Errorf("Seconds = %v after an execution of 5 s", got)
	}
}

func TestEstimatesOfUnknownShards(t *testing.T) {
	t.Parallel()
	s := history.Open(t.TempDir(), "/ws")
	if got := mustTimes(t, s).Seconds("//x:a", 0, 1); got != 0 {
		t.Errorf("Seconds without any history = %v, want 0", got)
	}
	mustSave(t, s, 0, shard(0, 2, 4), shard(1, 2, 6))
	times := mustTimes(t, s)
	if got := times.Seconds("//x:a", 3, 5); got != 2 {
		t.Errorf("a fifth of 10 s = %v, want 2", got)
	}
	if got := times.Seconds("//x:unknown", 0, 1); got != 5 {
		t.Errorf("Seconds of an unknown target = %v, want the mean 5", got)
	}
}

func TestTimesForgetAnOldNumberOfShards(t *testing.T) {
	t.Parallel()
	s := history.Open(t.TempDir(), "/ws")
	mustSave(t, s, 0, shard(0, 2, 4), shard(1, 2, 6))
	mustSave(t, s, time.Second, shard(0, 1, 9))
	if all := mustTimes(t, s).All(); len(all) != 1 || all[0].Shards != 1 {
		t.Errorf("All() = %+v, want the one shard of 1", all)
	}
}

func TestCachedTimesServeWhereNothingWasExecuted(t *testing.T) {
	t.Parallel()
	s := history.Open(t.TempDir(), "/ws")
	cached := shard(0, 1, 7)
	cached.Cached = true
	mustSave(t, s, 0, cached)
	if got := mustTimes(t, s).Seconds("//x:a", 0, 1); got != 7 {
		t.Errorf("Seconds = %v, want the cached result's 7", got)
	}
}

func TestFailedTestsStayUntilTheyPass(t *testing.T) {
	t.Parallel()
	s := history.Open(t.TempDir(), "/ws")
	mustSave(t, s, 0, shard(0, 2, 1, "!TestA", "!TestA/sub", "!TestB"), shard(1, 2, 1, "!TestC"))
	ensureFailed(t, s, "//x:a::TestA", "//x:a::TestB", "//x:a::TestC")
	mustSave(t, s, 1, shard(0, 2, 1, "TestA", "!TestB"))
	ensureFailed(t, s, "//x:a::TestB", "//x:a::TestC")
	mustSave(t, s, 2, shard(0, 2, 1, "TestA"), shard(1, 2, 1)) // B and C were removed
	ensureFailed(t, s)
}

func TestOneFailureOfSeveralRunsIsEnough(t *testing.T) {
	t.Parallel()
	s := history.Open(t.TempDir(), "/ws")
	first, second, third := shard(0, 1, 1, "TestA"), shard(0, 1, 1, "!TestA"), shard(0, 1, 1, "TestA")
	second.Run, third.Run = 2, 3
	mustSave(t, s, 0, first, second, third)
	ensureFailed(t, s, "//x:a::TestA")
}

func TestAFilteredRunForgetsNoOtherFailure(t *testing.T) {
	t.Parallel()
	s := history.Open(t.TempDir(), "/ws")
	mustSave(t, s, 0, shard(0, 1, 1, "!TestA", "!TestB"))
	filtered := shard(0, 1, 1, "TestA")
	filtered.Filter = "^TestA$"
	mustSave(t, s, 1, filtered)
	ensureFailed(t, s, "//x:a::TestB")
}

func TestADeadShardIsAFailureOfItsTarget(t *testing.T) {
	t.Parallel()
	s := history.Open(t.TempDir(), "/ws")
	dead := shard(0, 1, 60)
	dead.Status = "TIMEOUT"
	mustSave(t, s, 0, dead)
	ensureFailed(t, s, "//x:a::")
	mustSave(t, s, 1, shard(0, 1, 1, "TestA"))
	ensureFailed(t, s)
}

func TestSeveralRunsAtOnce(t *testing.T) {
	t.Parallel()
	cache := t.TempDir()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			run := &history.Run{Start: noon.Add(time.Duration(i) * time.Millisecond), Shards: []history.Shard{shard(i, 8, 1)}}
			if err := history.Open(cache, "/ws").Save(run); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := len(mustTimes(t, history.Open(cache, "/ws")).All()); got != 8 {
		t.Errorf("%d shards are known, want all 8", got)
	}
}

func TestDamagedFilesAreReplaced(t *testing.T) {
	t.Parallel()
	s := history.Open(t.TempDir(), "/ws")
	mustSave(t, s, 0, shard(0, 1, 2, "!TestA"))
	for _, name := range []string{"shards.json", "failed.json"} {
		if err := os.WriteFile(filepath.Join(s.Dir(), name), []byte("{"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Times(); err == nil {
		t.Error("Times() of a damaged file gives no error")
	}
	if _, err := s.LastFailed(); err == nil {
		t.Error("LastFailed() of a damaged file gives no error")
	}
	mustSave(t, s, 1, shard(0, 1, 3, "!TestB"))
	ensureFailed(t, s, "//x:a::TestB")
}

func TestSaveSaysWhatItCannotWrite(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	err := history.Open(file, "/ws").Save(&history.Run{})
	if want := "keep the run's history: mkdir " + file + ": not a directory"; err == nil || err.Error() != want {
		t.Errorf("Save() = %v, want %s", err, want)
	}
}

func TestCacheDir(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		env  map[string]string
		want string
	}{
		{map[string]string{"XDG_CACHE_HOME": "/c", "HOME": "/h"}, "/c"},
		{map[string]string{"XDG_CACHE_HOME": "relative", "HOME": "/h"}, "/h/.cache"},
		{nil, ""},
	} {
		got, err := history.CacheDir(func(name string) string { return c.env[name] })
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("CacheDir(%v) = %q, %v, want %q", c.env, got, err, c.want)
		}
	}
}

// What passes with one PostgreSQL says nothing of another.
func TestFailuresBelongToOnePostgres(t *testing.T) {
	t.Parallel()
	s := history.Open(t.TempDir(), "/ws")
	save := func(postgres string, shards ...history.Shard) {
		t.Helper()
		if err := s.Save(&history.Run{Start: noon, Postgres: postgres, Shards: shards}); err != nil {
			t.Fatal(err)
		}
	}
	both := []history.Shard{shard(0, 1, 1, "!TestA"), shard(0, 1, 1, "!TestA")}
	both[0].Label, both[1].Label = "//x:a (PostgreSQL 15)", "//x:a (PostgreSQL 18)"
	save("", both...)
	save("", shard(0, 1, 1, "TestA"))
	ensureFailed(t, s, "//x:a (PostgreSQL 15)::TestA", "//x:a (PostgreSQL 18)::TestA")
	save("18", shard(0, 1, 1, "TestA"))
	ensureFailed(t, s, "//x:a (PostgreSQL 15)::TestA")
	save("18", shard(0, 1, 1, "!TestA"))
	save("", shard(0, 1, 1, "!TestA"))
	ensureFailed(t, s, "//x:a::TestA", "//x:a (PostgreSQL 15)::TestA", "//x:a (PostgreSQL 18)::TestA")
	if err := s.Forget([]string{"//x:a"}); err != nil {
		t.Fatal(err)
	}
	ensureFailed(t, s)
}

// IDs of runs that began at the same time sort by process: of the numbers of processes, each may have more digits than
// the one before.
func TestIDsHaveOneLength(t *testing.T) {
	t.Parallel()
	const want = len("20261127T075530.000000-0000001")
	if id := history.ID(time.Unix(0, 0)); len(id) != want {
		t.Errorf("ID() = %q, want %d characters", id, want)
	}
}
