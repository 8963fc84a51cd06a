// Package initschema migrates in an init function, which runs for a list of tests as well.
package initschema

import (
	"database/sql"
	"testing"

	_ "github.com/lib/pq"

	"example.com/shop/internal/testdb"
)

var db *sql.DB

func init() {
	var err error
	if db, err = sql.Open("postgres", testdb.URL()); err == nil {
		_, err = db.Exec("DROP TABLE IF EXISTS setting; CREATE TABLE setting (name text PRIMARY KEY, value text)")
	}
	if err != nil {
		panic(err)
	}
}

func TestSetting(t *testing.T) {
	testdb.Exec(t, db, "INSERT INTO setting VALUES ('colour', 'red')")
	testdb.Wait()
	testdb.EnsureInt(t, db, 1, "DELETE FROM setting RETURNING 1")
}
