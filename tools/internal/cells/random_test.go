package cells_test

import (
	"context"
	_ "embed"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcell/pgcell/tools/internal/cells"
)

// TestRandom makes up tests for three templates, runs them one after another, and compares what they leave with what is
// new: the cell with a new clone (Verify does), the sessions with a new one, and what some queries show with what they
// show in a new clone. Errors of single statements, such as duplicate keys, are part of it.
//
// PGCELL_TEST_RUNS is how many sequences each template gets: by default 2,000 in all. PGCELL_TEST_SEED has a run
// repeated, and PGCELL_TEST_FROM the sequences before that one left out; a difference prints both.
func TestRandom(t *testing.T) {
	t.Parallel()
	seed := variable(t, "PGCELL_TEST_SEED", rand.Uint64())
	from, runs := variable(t, "PGCELL_TEST_FROM", 0), variable(t, "PGCELL_TEST_RUNS", 667)
	if testing.Short() {
		runs = min(runs, 40)
	}
	for _, w := range workloads {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			openRun(t, w, seed).run(t, from, runs)
		})
	}
}

func variable(t *testing.T, name string, usual uint64) uint64 {
	t.Helper()
	text, ok := os.LookupEnv(name)
	if !ok {
		return usual
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// run is one template's part of TestRandom.
type run struct {
	cluster   *cells.Cluster
	workload  *workload
	seed      uint64
	tables    []string
	session   string           // what a new session shows
	shown     map[int][]string // what probes show in a new clone
	since     uint64           // the sequence whose cell was the last new clone
	before    *sequence        // the last one
	outliving sync.WaitGroup

	mu      sync.Mutex
	reasons map[string]int // why cells were dropped
}

func openRun(t *testing.T, w workload, seed uint64) *run {
	t.Helper()
	r := &run{workload: &w, seed: seed, shown: map[int][]string{}, reasons: map[string]int{}}
	r.cluster = mustOpenWith(t, w.sql, func(c *cells.Config) {
		c.Recycle, c.Ahead, c.Warn, c.Trace = cells.Verify, cells.AheadOff, func(string) {}, r.dropped
		// Connections of a sequence block each other.
		c.Settings = map[string]string{"lock_timeout": "5ms", "deadlock_timeout": "2ms"}
		maps.Copy(c.Settings, w.settings)
	})
	t.Cleanup(r.outliving.Wait)
	r.inNewClone(t, func(l *cells.Lease) {
		conn, err := pgx.Connect(t.Context(), l.URL())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		r.session = state(t, conn)
		rows, err := conn.Query(t.Context(), "SELECT oid::regclass::text FROM pg_class"+
			" WHERE relkind IN ('r', 'p') AND oid >= 16384 ORDER BY oid")
		if err != nil {
			t.Fatal(err)
		}
		if r.tables, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
			t.Fatal(err)
		}
	})
	return r
}

func (r *run) dropped(why string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, reason, ok := strings.Cut(why, "not recycled: "); ok {
		r.reasons[reason]++
	}
}

func (r *run) inNewClone(t *testing.T, use func(*cells.Lease)) {
	t.Helper()
	l, err := r.cluster.Take(t.Context(), cells.Request{Test: t.Name(), New: true})
	if err != nil {
		t.Fatal(err)
	}
	use(l)
	if err := l.Return(); err != nil {
		t.Error(err)
	}
}

// run runs sequences up to runs. After five differences it gives up.
func (r *run) run(t *testing.T, from, runs uint64) {
	made := map[string]int{}
	start, differences := time.Now(), 0
	for i := from; i < runs && differences < 5; i++ {
		l, err := r.cluster.Take(t.Context(), cells.Request{Test: fmt.Sprint("Test", i)})
		if err != nil {
			t.Fatal(err)
		}
		if made[l.Made()]++; l.Made() == "cloned" {
			r.since = i
		}
		s, wrong := r.sequence(t, l, i)
		if err := l.Return(); err != nil {
			wrong = append(wrong, err.Error())
		}
		if len(wrong) > 0 {
			differences++
			t.Error(r.report(t, i, s, wrong))
		}
		r.before = s
	}
	t.Logf("seed %d: %d sequences in %v; cells were %v, and dropped for %v",
		r.seed, runs-from, time.Since(start).Round(time.Millisecond), made, r.reasons)
	if n := int(runs - from); n >= 100 && made["recycled"] < n/2 {
		t.Errorf("of %d cells only %d were recycled: the test does not try much", n, made["recycled"])
	}
}

// report says what differs, after what, and how to repeat it.
func (r *run) report(t *testing.T, i uint64, s *sequence, wrong []string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "sequence %d of seed %d: %s\n", i, r.seed, strings.Join(wrong, "\n"))
	if r.before != nil {
		fmt.Fprintf(&text, "The sequence before did:\n  %s\n", strings.Join(r.before.did, "\n  "))
	}
	fmt.Fprintf(&text, "This one did:\n  %s\n", strings.Join(s.did, "\n  "))
	fmt.Fprintf(&text, "The cell was a new clone before sequence %d. To repeat:\n  PGCELL_TEST_SEED=%d PGCELL_TEST_FROM=%d PGCELL_TEST_RUNS=%d"+
		" go test ./tools/internal/cells -run '^%s$' -count=1", r.since, r.seed, r.since, i+1, strings.ReplaceAll(t.Name(), "/", "$/^"))
	return text.String()
}

// sequence runs the made-up test i. wrong says what it sees of earlier ones.
func (r *run) sequence(t *testing.T, l *cells.Lease, i uint64) (s *sequence, wrong []string) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s = &sequence{
		workload: r.workload, tables: r.tables, random: rand.New(rand.NewPCG(r.seed, i)), lost: map[conn]bool{},
		outlive: func(do func()) { r.outliving.Go(do) },
	}
	client := clients[s.random.IntN(len(clients))]
	s.did = append(s.did, "by "+client.name)
	connect, pool, err := client.open(l)
	if err != nil {
		t.Fatal(err)
	}
	if r.before != nil {
		wrong = useKept(ctx, r.before.kept)
	}
	known := client.name == "own pool" // its sessions are not like new ones
	if pool != nil {
		for _, c := range pool.AcquireAllIdle(ctx) {
			wrong = append(wrong, r.judge(t, "a session of the pool", c.Conn())...)
			c.Release()
			known = true
		}
	}
	for range 1 + s.random.IntN(3) {
		c, err := connect(ctx)
		if err != nil {
			t.Fatal(err)
		}
		s.conns = append(s.conns, c)
	}
	if !known {
		wrong = append(wrong, r.judge(t, "a connection by "+client.name, s.conns[0].native())...)
	}
	if s.random.IntN(6) == 0 {
		k := s.random.IntN(len(r.workload.probes))
		s.did = append(s.did, fmt.Sprint("probe ", k))
		wrong = append(wrong, r.probe(t, s.conns[0].native(), k)...)
	}
	for range s.random.IntN(9) {
		s.act(ctx)
	}
	for _, c := range s.conns {
		if !s.lost[c] && s.random.IntN(150) > 0 {
			c.release()
		}
	}
	return s, wrong
}

// useKept tries to use connections that the test before has kept: to execute a statement, and to cancel one.
func useKept(ctx context.Context, kept []*pgconn.PgConn) (wrong []string) {
	for _, pg := range kept {
		if _, err := pg.Exec(ctx, "SELECT 1").ReadAll(); err == nil {
			wrong = append(wrong, "a connection that the test before kept still works")
		}
		pg.CancelRequest(ctx)
	}
	return wrong
}

// judge compares a session with a new one.
func (r *run) judge(t *testing.T, what string, c *pgx.Conn) []string {
	now := state(t, c)
	if now == r.session {
		return nil
	}
	return []string{what + " differs from a new session (-new +this):\n" +
		cmp.Diff(strings.Split(r.session, "\n"), strings.Split(now, "\n"))}
}

// stateSQL selects what a session holds, but for what only libraries add. It leaves nothing in the session.
//
//go:embed testdata/state.sql
var stateSQL string

var statuses = []string{
	"application_name", "client_encoding", "DateStyle", "default_transaction_read_only", "integer_datetimes", "in_hot_standby",
	"IntervalStyle", "is_superuser", "scram_iterations", "search_path", "server_encoding", "server_version",
	"session_authorization", "standard_conforming_strings", "TimeZone",
}

// state tells what a session holds, a line each.
func state(t *testing.T, c *pgx.Conn) string {
	t.Helper()
	if c == nil {
		t.Fatal("no connection")
	}
	pg := c.PgConn()
	all := []string{"status " + string(pg.TxStatus())}
	for _, name := range statuses {
		all = append(all, name+" is said to be "+pg.ParameterStatus(name))
	}
	all = append(all, show(t.Context(), pg, stateSQL+"; SELECT lastval()"))
	return strings.Join(all, "\n")
}

// show gives what a statement shows: its rows, or its error.
func show(ctx context.Context, pg *pgconn.PgConn, sql string) string {
	results, err := pg.Exec(ctx, sql).ReadAll()
	var lines []string
	for _, one := range results {
		for _, row := range one.Rows {
			var columns []string
			for _, value := range row {
				columns = append(columns, string(value))
			}
			lines = append(lines, strings.Join(columns, " | "))
		}
	}
	if err != nil {
		lines = append(lines, err.Error())
	}
	return strings.Join(lines, "\n")
}

// probe compares what the statements of probe k show with what they show in a new clone.
func (r *run) probe(t *testing.T, c *pgx.Conn, k int) (wrong []string) {
	all := func(c *pgx.Conn) (shown []string) {
		for _, sql := range r.workload.probes[k] {
			shown = append(shown, sql+"\n"+show(t.Context(), c.PgConn(), sql))
		}
		show(t.Context(), c.PgConn(), "ROLLBACK")
		return shown
	}
	if r.shown[k] == nil {
		r.inNewClone(t, func(l *cells.Lease) {
			conn, err := pgx.Connect(t.Context(), l.URL())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close(t.Context())
			r.shown[k] = all(conn)
		})
	}
	got := all(c)
	for i, want := range r.shown[k] {
		if got[i] != want {
			wrong = append(wrong, fmt.Sprintf("probe %d sees what it does not in a new clone (-new +this):\n%s",
				k, cmp.Diff(want, got[i])))
		}
	}
	return wrong
}
