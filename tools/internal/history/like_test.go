package history_test

import (
	"testing"

	"github.com/pgcell/pgcell/tools/internal/history"
)

// Runs are alike by what they ran, not by what came of it, nor by what was cached.
func TestAlike(t *testing.T) {
	t.Parallel()
	a, b := history.Shard{Label: "//a:a", Shards: 1, Run: 1}, history.Shard{Label: "//b:b", Shards: 1, Run: 1}
	cached, failed, named, twice, sharded := a, a, a, a, a
	cached.Cached, failed.Status, named.Filter, twice.Run, sharded.Shards = true, "FAILED", "^TestA$", 2, 2
	run := func(id string, shards ...history.Shard) *history.Run { return &history.Run{ID: id, Shards: shards} }
	got := ""
	for _, r := range history.Alike(run("now", a, b), []*history.Run{
		run("same ", b, a), run("cached ", cached, b), run("failed ", failed, b), run("retried ", failed, a, b),
		run("named", named, b), run("stress", a, twice, b), run("sharded", sharded, b), run("fewer", a), run("none"),
	}) {
		got += r.ID
	}
	if want := "same cached failed retried "; got != want {
		t.Errorf("Alike gives %q, want %q", got, want)
	}
	if got := run("", cached, b).FromCache(); got != 1 {
		t.Errorf("FromCache() = %d, want 1", got)
	}
}
