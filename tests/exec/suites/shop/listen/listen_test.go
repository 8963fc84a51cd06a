// Package listen waits for notifications, which reach all sessions of a database.
package listen

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"example.com/shop/internal/testdb"
)

func TestNotify(t *testing.T) {
	db := testdb.Open(t)
	conn, err := pgx.Connect(t.Context(), testdb.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), "LISTEN item"); err != nil {
		t.Fatal(err)
	}
	testdb.Exec(t, db, "INSERT INTO item (name) VALUES ('a')")
	testdb.Exec(t, db, "SELECT pg_notify('item', 'a')")
	got, err := conn.WaitForNotification(t.Context())
	if err != nil || got.Payload != "a" {
		t.Errorf("got %v, %v; want a", got, err)
	}
	testdb.EnsureInt(t, db, 1, "SELECT count(*) FROM item")
}
