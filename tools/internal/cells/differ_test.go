package cells_test

import (
	"testing"

	"github.com/pgcell/pgcell/tools/internal/cells"
)

// TestWhatMayDiffer shows what docs/isolation.md says may differ between a used cell and a new clone.
func TestWhatMayDiffer(t *testing.T) {
	t.Parallel()
	c := mustOpenWith(t, `
CREATE TABLE t (id serial, name text);
SELECT nextval('t_id_seq');
CREATE EXTENSION pg_trgm`, func(c *cells.Config) {
		c.Recycle, c.Ahead = cells.Auto, cells.AheadOff
	})
	// Whether the counters know of rows, how many numbers a sequence has logged ahead, whether the library of an
	// extension is loaded in the session, whether the table has a free space map, whether transaction_read_only was once set.
	const look = `
SELECT pg_stat_get_tuples_inserted('t'::regclass) > 0, log_cnt > 0,
  current_setting('pg_trgm.similarity_threshold', true) IS NOT NULL, pg_relation_size('t', 'fsm') > 0,
  (SELECT source <> 'override' FROM pg_show_all_settings() WHERE name = 'transaction_read_only'),
  pg_current_xact_id()::text::int8 FROM t_id_seq`
	type seen struct {
		counted, logged, loaded, mapped, set bool
		transaction                          int64
	}
	var all [2]seen
	for i, want := range []string{"cloned", "recycled"} {
		mustUse(t, c, func(l *cells.Lease) {
			s := &all[i]
			err := l.Pool().QueryRow(t.Context(), look).Scan(&s.counted, &s.logged, &s.loaded, &s.mapped, &s.set, &s.transaction)
			if err != nil || l.Made() != want {
				t.Fatalf("a %s cell, %v; want a %s one", l.Made(), err, want)
			}
			mustRun(t, l, "INSERT INTO t (name) SELECT repeat('x', 100) FROM generate_series(1, 250); SELECT similarity('a', 'b');"+
				" BEGIN; SET TRANSACTION READ ONLY; COMMIT")
		})
	}
	if all[0].transaction >= all[1].transaction {
		t.Errorf("transaction %d in the clone, %d in the used cell; want it to grow", all[0].transaction, all[1].transaction)
	}
	all[0].transaction, all[1].transaction = 0, 0
	if want := [2]seen{{logged: true}, {counted: true, loaded: true, mapped: true, set: true}}; all != want {
		t.Errorf("in a clone and in the used cell %+v, want %+v", all, want)
	}
}
