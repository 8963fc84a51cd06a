// Package goosemigrate runs goose itself, on a schema of its own making.
package goosemigrate

import (
	"testing"
	"testing/fstest"

	"github.com/pressly/goose/v3"

	"example.com/shop/internal/testdb"
)

var files = fstest.MapFS{
	"1_customer.sql": {Data: []byte("-- +goose Up\nCREATE TABLE customer (id serial PRIMARY KEY);\n-- +goose Down\nDROP TABLE customer;\n")},
	"2_name.sql":     {Data: []byte("-- +goose Up\nALTER TABLE customer ADD name text;\n-- +goose Down\nALTER TABLE customer DROP name;\n")},
}

func TestUpAndDown(t *testing.T) {
	db := testdb.Open(t)
	provider, err := goose.NewProvider(goose.DialectPostgres, db, files)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.Up(t.Context()); err != nil {
		t.Fatal(err)
	}
	testdb.Exec(t, db, "INSERT INTO customer (name) VALUES ('a')")
	testdb.Exec(t, db, "INSERT INTO item (name) VALUES ('a')")
	testdb.Wait()
	testdb.EnsureInt(t, db, 2, "SELECT (SELECT count(*) FROM customer) + (SELECT count(*) FROM item)")
	if _, err := provider.DownTo(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	testdb.Exec(t, db, "DROP TABLE goose_db_version")
}
