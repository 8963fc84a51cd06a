package cells

import (
	"errors"
	"slices"
	"strconv"

	"github.com/jackc/pgx/v5/pgconn"
)

// sight is what the warden sees of a cell.
type sight struct {
	inTheWay int64    // things that keep the cell from being used again
	rows     [3]int64 // inserted, updated, deleted, in all tables of the database
	settings string   // parameters of roles in all databases, and of the database
	counted  string   // see [identity]
	given    int64    // see [identity]
	reset    string   // see [identity]
	rewrote  bool     // a table that is none of tables was vacuumed or analyzed
	tables   map[int]tableSight
	sequence map[int]int64 // blocks fetched
}

// tableSight holds the counters of one table.
type tableSight struct {
	rows    [3]int64
	toast   [3]int64
	vacuums int64 // and ANALYZEs
	size    int64 // bytes, with the TOAST table
}

// parseSight reads the results of lookSQL and rowsSQL.
func parseSight(looked []*pgconn.Result) (*sight, error) {
	look, rows := looked[0].Rows[0], looked[1].Rows
	s := &sight{settings: string(look[0]), counted: string(look[5]), reset: string(look[7]), tables: map[int]tableSight{}, sequence: map[int]int64{}}
	var bad error
	number := func(b []byte) int64 {
		n, err := strconv.ParseInt(string(b), 10, 64)
		bad = errors.Join(bad, err)
		return n
	}
	s.inTheWay, s.given = number(look[1]), number(look[6])
	s.rows = [3]int64{number(look[2]), number(look[3]), number(look[4])}
	for _, r := range rows {
		i := int(number(r[1])) - 1
		switch r[0][0] {
		case 's':
			s.sequence[i] = number(r[2])
			continue
		case 'o':
			s.rewrote = true
			continue
		}
		t := tableSight{vacuums: number(r[8]), size: number(r[9])}
		for k := range 3 {
			t.rows[k], t.toast[k] = number(r[2+k]), number(r[5+k])
		}
		s.tables[i] = t
	}
	return s, bad
}

// unaccounted reports whether rows changed in a table that cannot be emptied: a catalog, one with rows in the template,
// a large object. The counters of the whole database, which count every table, differ from the sum of those that can be
// emptied then. updated are rows of pg_class that the warden has.
func (s *sight) unaccounted(updated int64) bool {
	sum := s.rows
	sum[1] -= updated
	for _, t := range s.tables {
		for k := range sum {
			sum[k] -= t.rows[k] + t.toast[k]
		}
	}
	return sum != [3]int64{}
}

// wentDown reports whether a counter is lower than it was: somebody has set it back.
func (s *sight) wentDown(before *sight) bool {
	down := func(now, before [3]int64) bool {
		return now[0] < before[0] || now[1] < before[1] || now[2] < before[2]
	}
	for i, was := range before.tables {
		now := s.tables[i]
		if down(now.rows, was.rows) || down(now.toast, was.toast) || now.vacuums < was.vacuums {
			return true
		}
	}
	for i, was := range before.sequence {
		if s.sequence[i] < was {
			return true
		}
	}
	return down(s.rows, before.rows)
}

// grownTo is the size of a table, in bytes, from which on a new clone is better than what cleaning would leave of its
// indexes.
const grownTo = 32 * pageSize

// grown reports whether a table has grown beyond what is worth cleaning.
func (s *sight) grown() bool {
	for _, t := range s.tables {
		if t.size > grownTo {
			return true
		}
	}
	return false
}

// work is what makes a cell like new.
type work struct {
	empty     []int // tables
	vacuum    []int // tables
	sequences []int
}

// plan tells what has changed since the sight before. What is to be vacuumed, [cell.stale] tells afterwards.
func (s *sight) plan(c *cell) (w work) {
	for i, t := range s.tables {
		before := c.seen.tables[i]
		inserted, updated, deleted := t.rows[0]-before.rows[0], t.rows[1]-before.rows[1], t.rows[2]-before.rows[2]
		// What a test deleted of a table that should be empty need not be put back.
		if inserted > 0 || updated > 0 || deleted > 0 && c.pool.facts.Tables[i].Seeds > 0 {
			w.empty = append(w.empty, i)
		}
	}
	for i, fetched := range s.sequence {
		if fetched != c.seen.sequence[i] {
			w.sequences = append(w.sequences, i)
		}
	}
	return w
}

// without gives the work less what has been done already.
func (w work) without(done work) (rest work) {
	for _, i := range w.empty {
		if !slices.Contains(done.empty, i) {
			rest.empty = append(rest.empty, i)
		}
	}
	for _, i := range w.sequences {
		if !slices.Contains(done.sequences, i) {
			rest.sequences = append(rest.sequences, i)
		}
	}
	return rest
}

// mostGuessed bounds how many tables and how many sequences are put in order before a look: tests are often like the
// one before.
const mostGuessed = 8

// guess is the part of a cell's work that is done unasked in the next cell.
func (w work) guess() work {
	return work{empty: w.empty[:min(mostGuessed, len(w.empty))], sequences: w.sequences[:min(mostGuessed, len(w.sequences))]}
}

// count adds what the work itself has counted.
func (s *sight) count(done work) {
	for _, i := range done.sequences {
		s.sequence[i]++ // setval looks at a block
	}
	for _, i := range done.vacuum {
		t := s.tables[i]
		t.vacuums++
		s.tables[i] = t
	}
}
