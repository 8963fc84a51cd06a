// Package dropschema drops the schema and makes it anew, as many suites do at their start.
package dropschema

import (
	"testing"

	"example.com/shop/internal/testdb"
	"example.com/shop/migrations"
)

func TestFromNothing(t *testing.T) {
	db := testdb.Open(t)
	testdb.Exec(t, db, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")
	testdb.EnsureInt(t, db, 0, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
	testdb.Wait()
	testdb.Exec(t, db, migrations.Shop)
	testdb.EnsureInt(t, db, 2, "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
}
