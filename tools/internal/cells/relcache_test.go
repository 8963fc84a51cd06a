package cells_test

import (
	"testing"

	"github.com/pgcell/pgcell/tools/internal/cells"
)

// TestClonesShareRelationCache has clones that nobody has connected to yet hold what the first backend of an earlier
// one worked out of the catalogs, in place of working it out again.
func TestClonesShareRelationCache(t *testing.T) {
	t.Parallel()
	c := mustOpenWith(t, "CREATE TABLE t (id int)", func(c *cells.Config) { c.Recycle = cells.Never })
	if c.Strategy() == "WAL_LOG" {
		t.Skip("clones on disk are not made by copying files")
	}
	var l *cells.Lease
	for range 3 { // the third is cloned after the first that was made ahead
		l = mustTake(t, c)
		if err := c.Quiet(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	const fresh = `
SELECT count(*), count(*) FILTER (WHERE (pg_stat_file(format('base/%s/pg_internal.init', oid), true)).size > 10000)
FROM pg_database WHERE datname LIKE 'template\_%'`
	var templates, with int
	if err := c.Admin().QueryRow(t.Context(), fresh).Scan(&templates, &with); err != nil || templates != 1 || with != 1 {
		t.Errorf("%d of %d templates have a relation cache, %v; want 1 of 1", with, templates, err)
	}
	var objects int
	err := c.Admin().QueryRow(t.Context(), "SELECT count(*) FROM pg_largeobject_metadata").Scan(&objects)
	if err != nil || objects != 0 {
		t.Errorf("%d large objects are left, %v; want 0", objects, err)
	}
	mustRun(t, l, "CREATE TABLE more (id int)")
	if n := count(t, l, "t"); n != 0 {
		t.Errorf("%d rows, want 0", n)
	}
	// A clone has it before anybody connects.
	clone := "CREATE DATABASE untouched TEMPLATE " + c.Manifest().Template
	if c.Manifest().Postgres.Major >= 15 { // earlier ones know no other way
		clone += " STRATEGY FILE_COPY"
	}
	if _, err := c.Admin().Exec(t.Context(), clone); err != nil {
		t.Fatal(err)
	}
	const untouched = `
SELECT size > 10000 FROM pg_database, pg_stat_file(format('base/%s/pg_internal.init', oid)) WHERE datname = 'untouched'`
	var has bool
	if err := c.Admin().QueryRow(t.Context(), untouched).Scan(&has); err != nil || !has {
		t.Errorf("a clone has a relation cache: %v, %v; want true", has, err)
	}
}
