package cells_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// sequence is one made-up test. What it does follows from its random numbers alone.
type sequence struct {
	workload *workload
	tables   []string // of the template
	random   *rand.Rand
	conns    []conn
	lost     map[conn]bool // not to be used again, nor given back
	did      []string      // what was done, a line each
	kept     []*pgconn.PgConn
	outlive  func(func()) // starts a goroutine that is not waited for
}

var someWords = []string{"alpha", "beta", "gamma", "delta", "news", "tmp", "x", "it''s"}

// fill replaces {n} by a number to 30, {t} by one to 5, {big} by one to 400, {word} by a word, {table} by a table.
func (s *sequence) fill(text string) string {
	for _, one := range []struct {
		mark string
		give func() string
	}{
		{"{table}", func() string { return s.tables[s.random.IntN(len(s.tables))] }},
		{"{n}", func() string { return strconv.Itoa(1 + s.random.IntN(30)) }},
		{"{t}", func() string { return strconv.Itoa(1 + s.random.IntN(5)) }},
		{"{big}", func() string { return strconv.Itoa(1 + s.random.IntN(400)) }},
		{"{word}", func() string { return someWords[s.random.IntN(len(someWords))] }},
	} {
		for strings.Contains(text, one.mark) {
			text = strings.Replace(text, one.mark, one.give(), 1)
		}
	}
	return text
}

func (s *sequence) pick(from []string) string { return s.fill(from[s.random.IntN(len(from))]) }

var transactions = []string{
	"BEGIN", "BEGIN", "COMMIT", "COMMIT", "ROLLBACK", "SAVEPOINT s", "ROLLBACK TO s", "RELEASE s", "BEGIN READ ONLY", "COMMIT AND CHAIN",
}

// onTables are for any table.
var onTables = []string{
	"SELECT * FROM {table} FOR UPDATE", "SELECT * FROM {table} FOR NO KEY UPDATE SKIP LOCKED", "TABLE {table}",
	"DELETE FROM {table} WHERE false", "LOCK TABLE {table} IN SHARE MODE NOWAIT", "COPY {table} TO STDOUT", "ANALYZE {table}",
	"VACUUM {table}", "VACUUM (ANALYZE) {table}", "EXPLAIN SELECT * FROM {table}",
	"DECLARE tc CURSOR WITH HOLD FOR SELECT * FROM {table}", "FETCH ALL FROM tc", "CREATE TEMP TABLE t{n} AS TABLE {table}",
	"SELECT pg_relation_size('{table}'), pg_indexes_size('{table}')",
}

// act does one thing on one connection.
func (s *sequence) act(ctx context.Context) {
	who := s.random.IntN(len(s.conns))
	c := s.conns[who]
	if s.lost[c] {
		return
	}
	what, err := s.choose(ctx, c)
	if what == "" {
		return
	}
	line := fmt.Sprintf("%d: %s", who, what)
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		line += " -- error " + pg.Code
	} else if err != nil {
		line += " -- " + err.Error()
	}
	s.did = append(s.did, line)
}

func (s *sequence) choose(ctx context.Context, c conn) (what string, err error) {
	switch n := s.random.IntN(400); {
	case n < 264:
		what = s.pick(s.workload.statements)
		if strings.Contains(what, "$1") {
			return what, c.run(ctx, what, strconv.Itoa(1+s.random.IntN(5)))
		}
	case n < 324:
		what = s.pick(transactions)
	case n < 352:
		what = s.pick(onTables)
	case n < 362:
		return s.several(ctx, c)
	case n < 366:
		what = s.pick(s.workload.drastic)
		for _, one := range statements(what) {
			err = errors.Join(err, c.run(ctx, one))
		}
		return what, err
	default:
		return s.special(ctx, c, n-366)
	}
	return what, c.run(ctx, what)
}

// several sends a few statements at once: in one message, or in one pipeline.
func (s *sequence) several(ctx context.Context, c conn) (what string, err error) {
	all := []string{s.pick(s.workload.statements), s.pick(transactions), s.pick(s.workload.statements)}
	native := c.native()
	if native == nil {
		return "", nil
	}
	if s.random.IntN(2) == 0 {
		_, err = native.PgConn().Exec(ctx, strings.Join(all, "; ")).ReadAll()
		return "at once: " + strings.Join(all, "; "), err
	}
	var batch pgx.Batch
	for _, one := range all {
		batch.Queue(one)
	}
	return "pipeline: " + strings.Join(all, "; "), native.SendBatch(ctx, &batch).Close()
}

// special does, by n to 33, what is no plain statement.
func (s *sequence) special(ctx context.Context, c conn, n int) (what string, err error) {
	native := c.native()
	if native == nil || native.IsClosed() {
		return "", nil
	}
	pg := native.PgConn()
	switch {
	case n < 8:
		table, lines := s.fill("{table}"), s.fill("{n}\t{word}\n{big}\t{word}\n")
		_, err = pg.CopyFrom(ctx, strings.NewReader(lines), "COPY "+table+" FROM STDIN")
		return fmt.Sprintf("COPY %s FROM STDIN, %q", table, lines), err
	case n < 16:
		name, sql := s.fill("p{t}"), s.pick(s.workload.statements)
		if _, err = native.Prepare(ctx, name, sql); err == nil && !strings.Contains(sql, "$1") {
			err = readAll(native.Query(ctx, name))
		}
		return "prepare " + name + ": " + sql, err
	case n < 20:
		short, cancel := context.WithTimeout(ctx, 2*time.Millisecond)
		defer cancel()
		return "SELECT pg_sleep(1), for 2 ms", c.run(short, "SELECT pg_sleep(1)")
	case n < 24:
		return "cancel request", pg.CancelRequest(ctx)
	case n < 28:
		s.kept = append(s.kept, pg)
		return "keep the connection beyond the end", nil
	case n < 29:
		s.lost[c] = true
		sql := s.fill("SELECT * FROM {table}, generate_series(1, 100000)")
		rows, err := native.Query(ctx, sql)
		if err == nil {
			rows.Next()
		}
		return sql + ", not read to its end", err
	case n < 30:
		s.lost[c] = true
		sql := s.pick(s.workload.statements)
		s.outlive(func() {
			for i := 0; i < 100 && c.run(context.Background(), sql) == nil; i++ {
			}
		})
		return "in a goroutine that outlives: " + sql, nil
	case n < 31:
		s.lost[c] = true
		return "never give the connection back", nil
	case n < 33:
		return "parse, without execution", s.parse(ctx, pg)
	}
	return "terminate", c.run(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"+
		" WHERE datname = current_database() AND usename = current_user")
}

// parse has the server parse statements, and execute them by name from a pipeline that also fails.
func (s *sequence) parse(ctx context.Context, pg *pgconn.PgConn) error {
	p := pg.StartPipeline(ctx)
	p.SendPrepare("q", s.pick(s.workload.statements), nil)
	p.SendQueryPrepared("q", nil, nil, nil)
	p.SendPrepare("", "SELECT 1/0", nil)
	p.SendQueryPrepared("", nil, nil, nil)
	if err := p.Sync(); err != nil {
		return err
	}
	return p.Close()
}
