// Package suite has its tests in a suite of testify's.
package suite

import (
	"database/sql"
	"os"
	"testing"
	"time"

	_ "github.com/lib/pq"
	"github.com/stretchr/testify/suite"
)

type items struct {
	suite.Suite
	db *sql.DB
}

func TestItems(t *testing.T) { suite.Run(t, new(items)) }

func (s *items) SetupSuite() {
	db, err := sql.Open("postgres", os.Getenv("DATABASE_URL"))
	s.Require().NoError(err)
	s.db = db
}

func (s *items) TearDownSuite() { s.db.Close() }

func (s *items) SetupTest() {
	_, err := s.db.Exec("TRUNCATE item")
	s.Require().NoError(err)
}

func (s *items) TestInsert() { s.insert() }
func (s *items) TestAgain()  { s.insert() }

func (s *items) insert() {
	_, err := s.db.Exec("INSERT INTO item (name) VALUES ('a')")
	s.Require().NoError(err)
	time.Sleep(100 * time.Millisecond)
	var n int
	s.Require().NoError(s.db.QueryRow("SELECT count(*) FROM item").Scan(&n))
	s.Equal(1, n)
}
