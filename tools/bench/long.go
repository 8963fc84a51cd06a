package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tools/internal/cells"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// longParallel is how many tests run at once under -long.
const longParallel = 4

// point is what there is after so many tests in one process. Sizes are in bytes.
type point struct {
	Tests       int     `json:"tests"`
	Rate        float64 `json:"tests_a_second"` // in the last tenth of all tests
	Heap        uint64  `json:"go_heap"`        // after a collection
	Test        int64   `json:"test_process"`
	Server      int64   `json:"server"`
	Processes   int     `json:"processes"`
	Files       int     `json:"open_files"` // of this process
	ServerFiles int     `json:"server_open_files"`
	Databases   int     `json:"databases"`   // with the template and PostgreSQL's own
	Tables      int64   `json:"table_sizes"` // with indexes, of all cells
	Connections int     `json:"connections"`
	Data        int64   `json:"data"`
}

// long runs many tests in this process and looks three times: after a tenth, a half and all of them.
func (r *runner) long(result *result) error {
	ready, _, err := r.recycling(bodies[0], longParallel)
	if err != nil {
		return err
	}
	tenth := r.options.tests / 10
	for done := 0; done < r.options.tests; {
		// Each look is preceded by a tenth of all tests, which is timed.
		next := tenth
		if done == tenth {
			next = 3 * tenth
		} else if done == 5*tenth {
			next = r.options.tests - done - tenth
		}
		took, err := r.many(next, ready)
		if err != nil {
			return err
		}
		done += next
		fmt.Fprintf(r.progress, "bench: %d of %d tests\n", done, r.options.tests)
		if done == tenth || done == 5*tenth || done == r.options.tests {
			p, err := r.look(done)
			if err != nil {
				return err
			}
			p.Rate = float64(next) / took.Seconds()
			result.Long = append(result.Long, p)
		}
	}
	return nil
}

// many runs so many tests, some at once.
func (r *runner) many(tests int, ready func(*test) querier) (took time.Duration, err error) {
	var left atomic.Int64
	left.Store(int64(tests))
	var failed atomic.Pointer[error]
	var all sync.WaitGroup
	start := time.Now()
	for range longParallel {
		all.Go(func() {
			for left.Add(-1) >= 0 && failed.Load() == nil {
				if _, err := r.one(bodies[0], ready); err != nil {
					failed.Store(&err)
				}
			}
		})
	}
	all.Wait()
	if first := failed.Load(); first != nil {
		return 0, *first
	}
	return time.Since(start), nil
}

// look measures the process and its server while no test runs.
func (r *runner) look(tests int) (p point, err error) {
	time.Sleep(300 * time.Millisecond) // cells are being recycled
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	all := descendants()
	p = point{
		Tests: tests, Heap: stats.HeapAlloc, Test: pss(os.Getpid()), Processes: len(all),
		Files: openFiles(os.Getpid()), Data: dataSize(all),
	}
	for _, pid := range all {
		p.Server += pss(pid)
		p.ServerFiles += openFiles(pid)
	}
	return p, r.lookInside(&p)
}

// lookInside asks the server through a cell that leads to it.
func (r *runner) lookInside(p *point) (err error) {
	t := newTest()
	t.inside(func() {
		config := pgcell.New(t).Config()
		config.Database = cells.AdminDatabase
		err = r.countAll(config, p)
	})
	if ended := t.end(); err == nil {
		err = ended
	}
	return err
}

func (r *runner) countAll(config *pgx.ConnConfig, p *point) error {
	conn, err := pgx.ConnectConfig(r.ctx, config)
	if err != nil {
		return err
	}
	defer conn.Close(r.ctx)
	if _, err := r.settled(conn); err != nil {
		return err
	}
	const counts = `SELECT (SELECT count(*) FROM pg_database),
		(SELECT count(*) FROM pg_stat_activity WHERE datid IS NOT NULL AND pid <> pg_backend_pid())`
	if err := conn.QueryRow(r.ctx, counts).Scan(&p.Databases, &p.Connections); err != nil {
		return err
	}
	names, err := r.settled(conn)
	if err != nil {
		return err
	}
	for _, name := range names {
		size, err := r.tableSizes(config, name)
		if err != nil {
			return fmt.Errorf("tables of %s: %w", name, err)
		}
		p.Tables += size
	}
	return r.alone(conn)
}

// settled names the cells once all of them are ready: no name has changed for a while.
func (r *runner) settled(conn *pgx.Conn) (names []string, err error) {
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		rows, err := conn.Query(r.ctx, "SELECT datname FROM pg_database WHERE starts_with(datname, 'test_db_') ORDER BY 1")
		if err != nil {
			return nil, err
		}
		now, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil || slices.Equal(names, now) {
			return now, err
		}
		names = now
	}
	return nil, errors.New("the cells do not come to rest within 30 s")
}

// tableSizes sums up what a database's own tables and indexes take.
func (r *runner) tableSizes(config *pgx.ConnConfig, database string) (size int64, err error) {
	config = config.Copy()
	config.Database = database
	config.RuntimeParams["application_name"] = "pgcell bench"
	conn, err := pgx.ConnectConfig(r.ctx, config)
	if err != nil {
		return 0, err
	}
	defer conn.Close(r.ctx)
	const sum = `SELECT sum(pg_relation_size(oid)) FROM pg_class
		WHERE relkind IN ('r', 'i', 't') AND relnamespace = 'public'::regnamespace`
	return size, conn.QueryRow(r.ctx, sum).Scan(&size)
}

// alone waits until the sessions that looked into cells are gone: else they would count as left by a test.
func (r *runner) alone(conn *pgx.Conn) error {
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		var still int
		const count = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'pgcell bench'"
		if err := conn.QueryRow(r.ctx, count).Scan(&still); err != nil || still == 0 {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d sessions of the bench do not end", still)
		}
	}
}

func (r result) printLong(w io.Writer) {
	g := grid{head: []string{
		"tests", "tests/s", "Go heap MB", "test process MB", "server MB", "data MB", "databases", "tables MB",
		"connections", "processes", "open files", "server's",
	}}
	for _, p := range r.Long {
		g.add(fmt.Sprint(p.Tests), number(p.Rate), megabytes(int64(p.Heap)), megabytes(p.Test),
			megabytes(p.Server), megabytes(p.Data), fmt.Sprint(p.Databases), megabytes(p.Tables),
			fmt.Sprint(p.Connections), fmt.Sprint(p.Processes), fmt.Sprint(p.Files), fmt.Sprint(p.ServerFiles))
	}
	g.print(w)
}
