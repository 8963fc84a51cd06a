package cells

import (
	"slices"
	"testing"

	"github.com/pgcell/pgcell/tools/internal/golden"
)

// TestStale vacuums, of tables that one row was put into and taken out of, those that it would show in.
func TestStale(t *testing.T) {
	t.Parallel()
	facts := &golden.Facts{Tables: []golden.Table{{}, {Remembers: true}, {Seeds: 3}}}
	c := &cell{pool: &pool{facts: facts}, dead: map[int]int64{}}
	now, taken := &sight{tables: map[int]tableSight{}}, takings{}
	for i := range facts.Tables {
		now.tables[i] = tableSight{rows: [3]int64{1, 0, 0}, size: pageSize}
		taken[i] = gone{rows: 1, bytes: 40}
	}
	if got, want := c.stale(now, taken), []int{1, 2}; !slices.Equal(got, want) {
		t.Errorf("stale = %v, want %v", got, want)
	}
	c.seen = *now
	if got := c.stale(now, takings{}); len(got) > 0 {
		t.Errorf("after a test that changed nothing, stale = %v, want none", got)
	}
}
