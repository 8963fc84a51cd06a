// Package testifysuite has its tests in suites of testify's.
package testifysuite

import (
	"database/sql"
	"testing"

	"github.com/stretchr/testify/suite"

	"example.com/shop/internal/testdb"
)

type items struct {
	suite.Suite
	db *sql.DB
}

func TestItems(t *testing.T) { suite.Run(t, new(items)) }

func (s *items) SetupTest() { s.db = testdb.Open(s.T()) }

func (s *items) TestInsert() { s.insert("a") }
func (s *items) TestAgain()  { s.insert("a", "b") }
func (s *items) TestNone()   { s.insert() }

func (s *items) insert(names ...string) {
	for _, name := range names {
		_, err := s.db.Exec("INSERT INTO item (name) VALUES ($1)", name)
		s.Require().NoError(err)
	}
	testdb.Wait()
	var n int
	s.Require().NoError(s.db.QueryRow("SELECT count(*) FROM item").Scan(&n))
	s.Equal(len(names), n)
}
