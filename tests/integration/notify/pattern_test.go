package notify_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// A payload holds less than 8000 bytes; what is larger belongs into a table, with its key in the payload.
func TestPayloadLimit(t *testing.T) {
	t.Parallel()
	cell := pgcell.New(t)
	listener := listen(t, cell.Config(), "orders")
	check.Fails(t, listener, "22023", `SELECT pg_notify('orders', $1)`, strings.Repeat("x", 8000))
	check.Exec(t, listener, `SELECT pg_notify('orders', $1)`, strings.Repeat("x", 7999))
	n, err := listener.WaitForNotification(t.Context())
	if err != nil {
		t.Fatalf("wait: got error %v, want a notification", err)
	}
	check.Equal(t, "length of the payload", len(n.Payload), 7999)
}

// NOTIFY folds a channel's name to small letters as it does any identifier; pg_notify takes it as it is.
func TestChannelNames(t *testing.T) {
	t.Parallel()
	cell := pgcell.New(t)
	listener := listen(t, cell.Config(), "orders", "Or ders")
	check.Exec(t, listener,
		`NOTIFY ORDERS, '1'; NOTIFY "Or ders", '2'; SELECT pg_notify('ORDERS', '3'), pg_notify('Or ders', '4')`)
	check.Exec(t, listener, `NOTIFY orders, 'last'`)
	check.Equal(t, "received", received(t, listener), []string{"orders 1", "Or ders 2", "Or ders 4"})
	check.Fails(t, listener, "22023", `SELECT pg_notify('', 'x')`)
	check.Fails(t, listener, "22023", `SELECT pg_notify($1, 'x')`, strings.Repeat("c", 64))
}

// A trigger that notifies tells every listener of each change, and of none that was undone.
func TestNotifyFromTrigger(t *testing.T) {
	t.Parallel()
	cell := pgcell.New(t)
	db := cell.Pool()
	check.Exec(t, db, `CREATE TABLE orders (id int PRIMARY KEY, status text);
		CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN
			PERFORM pg_notify('orders', json_build_object('op', TG_OP, 'id', coalesce(NEW.id, OLD.id))::text);
			RETURN NULL;
		END $$;
		CREATE TRIGGER tell AFTER INSERT OR UPDATE OR DELETE ON orders FOR EACH ROW EXECUTE FUNCTION tell()`)
	listener := listen(t, cell.Config(), "orders")
	check.Exec(t, db, `INSERT INTO orders VALUES (1, 'new'), (2, 'new')`)
	check.Fails(t, db, "23505", `INSERT INTO orders VALUES (3, 'new'), (1, 'again')`)
	check.Exec(t, db, `UPDATE orders SET status = 'paid' WHERE id = 1; DELETE FROM orders WHERE id = 2`)
	check.Exec(t, db, `NOTIFY orders, 'last'`)
	type change struct {
		Op string
		ID int
	}
	var got []change
	for _, message := range received(t, listener) {
		var c change
		if err := json.Unmarshal([]byte(strings.TrimPrefix(message, "orders ")), &c); err != nil {
			t.Fatalf("payload %q: got error %v, want JSON", message, err)
		}
		got = append(got, c)
	}
	check.Equal(t, "changes", got, []change{{"INSERT", 1}, {"INSERT", 2}, {"UPDATE", 1}, {"DELETE", 2}})
}

// A worker that is woken by NOTIFY in place of asking the table every second: a queue without polling.
func TestQueueWithWakeUp(t *testing.T) {
	t.Parallel()
	cell := pgcell.New(t)
	db := cell.Pool()
	check.Exec(t, db, `CREATE TABLE jobs (id int GENERATED ALWAYS AS IDENTITY, what text)`)
	listener := listen(t, cell.Config(), "jobs")
	done := make(chan string)
	worker, stop := context.WithCancel(t.Context())
	defer stop()
	go func() {
		defer close(done)
		for {
			var what string
			err := listener.QueryRow(worker,
				`DELETE FROM jobs WHERE id = (SELECT min(id) FROM jobs) RETURNING what`).Scan(&what)
			switch {
			case err == nil:
				done <- what
			case errors.Is(err, pgx.ErrNoRows):
				if _, err := listener.WaitForNotification(worker); err != nil {
					return // stopped
				}
			default:
				return
			}
		}
	}()
	for i := range 5 {
		want := fmt.Sprint("job ", i)
		check.Exec(t, db,
			`WITH job AS (INSERT INTO jobs (what) VALUES ($1) RETURNING id) SELECT pg_notify('jobs', '') FROM job`,
			want)
		check.Equal(t, "job done", <-done, want)
	}
	stop()
	<-done
}

// A wait has an end: the context's; the connection is then closed by pgx, and other connections live on.
func TestWaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	cell := pgcell.New(t)
	listener := listen(t, cell.Config(), "orders")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	n, err := listener.WaitForNotification(ctx)
	if !pgconn.Timeout(err) {
		t.Errorf("wait on a silent channel: got %v and error %v, want a time-out", n, err)
	}
	check.Value(t, cell.Pool(), 1, `SELECT 1`)
}

// A transaction that has notified cannot be prepared for two-phase commit.
func TestNotifyCannotBePrepared(t *testing.T) {
	t.Parallel()
	server := pgcell.Server(t, pgcell.ServerConfig{Settings: map[string]string{"max_prepared_transactions": "1"}})
	conn := check.Conn(t, server.Config())
	check.Exec(t, conn, `BEGIN; NOTIFY orders`)
	check.Fails(t, conn, "0A000", `PREPARE TRANSACTION 'x'`)
}
