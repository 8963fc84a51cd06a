package program_test

import (
	"testing"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// suite is what testify's suites are to pgcell: T gives the parent's *testing.T in SetupSuite, and in SetupTest and a
// test that of the subtest.
type suite struct {
	t    *testing.T
	all  *pgcell.Cell
	cell *pgcell.Cell
}

func (s *suite) T() *testing.T { return s.t }
func (s *suite) SetupSuite()   { s.all = pgcell.New(s.T()) }
func (s *suite) SetupTest()    { s.cell = pgcell.New(s.T()) }

// A suite has a cell for all of its tests, and one for each.
func TestSuite(t *testing.T) {
	t.Parallel()
	s := &suite{t: t}
	s.SetupSuite()
	check.Exec(t, s.all.Pool(), `CREATE TABLE calls (test text)`)
	for _, name := range []string{"TestA", "TestB"} {
		t.Run(name, func(t *testing.T) {
			parent := s.t
			s.t = t
			defer func() { s.t = parent }()
			s.SetupTest()
			check.Exec(t, s.all.Pool(), `INSERT INTO calls VALUES ('`+name+`')`)
			check.Value(t, s.cell.Pool(), true, `SELECT to_regclass('calls') IS NULL`)
		})
	}
	check.Values(t, s.all.Pool(), []string{"TestA", "TestB"}, `SELECT test FROM calls ORDER BY 1`)
}
