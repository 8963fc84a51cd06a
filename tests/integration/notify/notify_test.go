// Package notify_test shows what LISTEN and NOTIFY deliver, in which order and when not; and that a channel's name
// means nothing beyond its own cell, so that tests which all call theirs "orders" never hear each other.
package notify_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// last is the payload that ends a test's messages: what has not come before it does not come at all, since order
// is kept.
const last = "last"

// listen opens a connection that listens on channels.
func listen(t *testing.T, config *pgx.ConnConfig, channels ...string) *pgx.Conn {
	t.Helper()
	conn := check.Conn(t, config)
	for _, channel := range channels {
		check.Exec(t, conn, `LISTEN `+pgx.Identifier{channel}.Sanitize())
	}
	return conn
}

// received collects "channel payload" of all that conn hears until the payload "last", which is left out.
func received(t *testing.T, conn *pgx.Conn) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), check.Patience)
	defer cancel()
	var got []string
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			t.Fatalf("wait for the payload %q: got error %v after %v, want it", last, err, got)
		}
		if n.Payload == last {
			return got
		}
		got = append(got, strings.TrimSpace(n.Channel+" "+n.Payload))
	}
}

// A listener receives channel and payload, and may itself be the sender.
func TestPayload(t *testing.T) {
	t.Parallel()
	cell := pgcell.New(t)
	conn := listen(t, cell.Config(), "orders")
	check.Exec(t, cell.Pool(), `NOTIFY orders; NOTIFY orders, 'paid'`)
	check.Exec(t, conn, `SELECT pg_notify('orders', $1)`, "naïve 'quoted' payload")
	check.Exec(t, conn, `NOTIFY orders, 'last'`)
	check.Equal(t, "received", received(t, conn), []string{"orders", "orders paid", "orders naïve 'quoted' payload"})
}

// A notification names the process of its sender, so that a session can tell its own from others'.
func TestSenderPID(t *testing.T) {
	t.Parallel()
	cell := pgcell.New(t)
	listener, sender := listen(t, cell.Config(), "orders"), check.Conn(t, cell.Config())
	check.Exec(t, sender, `NOTIFY orders`)
	n, err := listener.WaitForNotification(t.Context())
	if err != nil {
		t.Fatalf("wait: got error %v, want a notification", err)
	}
	check.Equal(t, "sender", n.PID, sender.PgConn().PID())
}

// Notifications of one transaction come in the order of sending, those of two in the order of their commits.
func TestOrderIsThatOfCommits(t *testing.T) {
	t.Parallel()
	cell := pgcell.New(t)
	listener := listen(t, cell.Config(), "orders")
	a, b := check.Conn(t, cell.Config()), check.Conn(t, cell.Config())
	check.Exec(t, a, `BEGIN; NOTIFY orders, 'a1'; NOTIFY orders, 'a2'`)
	check.Exec(t, b, `BEGIN; NOTIFY orders, 'b1'`)
	check.Exec(t, b, `COMMIT`)
	check.Exec(t, a, `COMMIT`)
	check.Exec(t, b, `NOTIFY orders, 'last'`)
	check.Equal(t, "received", received(t, listener), []string{"orders b1", "orders a1", "orders a2"})
}

// Within a transaction equal messages are sent once; other payloads and other channels count as different.
func TestDuplicatesInOneTransaction(t *testing.T) {
	t.Parallel()
	cell := pgcell.New(t)
	listener := listen(t, cell.Config(), "orders", "users")
	sender := check.Conn(t, cell.Config())
	check.Exec(t, sender,
		`BEGIN; NOTIFY orders, 'x'; NOTIFY orders, 'x'; NOTIFY orders, 'y'; NOTIFY users, 'x'; NOTIFY orders, 'x'`)
	check.Exec(t, sender, `COMMIT`)
	check.Exec(t, sender, `NOTIFY orders, 'x'`) // another transaction: sent again
	check.Exec(t, sender, `NOTIFY orders, 'last'`)
	check.Equal(t, "received", received(t, listener), []string{"orders x", "orders y", "users x", "orders x"})
}

// A transaction that is rolled back sends nothing; nor does what lies behind a savepoint that was returned to.
func TestRollbackSendsNothing(t *testing.T) {
	t.Parallel()
	cell := pgcell.New(t)
	listener, sender := listen(t, cell.Config(), "orders"), check.Conn(t, cell.Config())
	check.Exec(t, sender, `BEGIN; NOTIFY orders, 'undone'`)
	check.Exec(t, sender, `ROLLBACK`)
	check.Exec(t, sender, `BEGIN; NOTIFY orders, 'kept'; SAVEPOINT s; NOTIFY orders, 'undone'; ROLLBACK TO s`)
	check.Exec(t, sender, `COMMIT`)
	check.Exec(t, sender, `NOTIFY orders, 'last'`)
	check.Equal(t, "received", received(t, listener), []string{"orders kept"})
}

// A listener hears what was sent after its LISTEN was committed, on those of its channels alone.
func TestOnlyListenedChannels(t *testing.T) {
	t.Parallel()
	cell := pgcell.New(t)
	sender := check.Conn(t, cell.Config())
	check.Exec(t, sender, `NOTIFY orders, 'too early'`)
	listener := listen(t, cell.Config(), "orders", "items")
	check.Values(t, listener, []string{"items", "orders"}, `SELECT * FROM pg_listening_channels() ORDER BY 1`)
	check.Exec(t, sender, `NOTIFY orders, '1'; NOTIFY users, '2'; NOTIFY items, '3'`)
	check.Exec(t, sender, `NOTIFY items, 'last'`)
	check.Equal(t, "received", received(t, listener), []string{"orders 1", "items 3"})
}

// UNLISTEN takes one channel away, UNLISTEN * all; LISTEN in a transaction that is rolled back never counted.
func TestUnlisten(t *testing.T) {
	t.Parallel()
	cell := pgcell.New(t)
	listener, sender := listen(t, cell.Config(), "orders", "users"), check.Conn(t, cell.Config())
	check.Exec(t, listener, `UNLISTEN orders`)
	check.Exec(t, listener, `BEGIN; LISTEN items`)
	check.Exec(t, listener, `ROLLBACK`)
	check.Exec(t, sender, `NOTIFY orders, '1'; NOTIFY items, '2'; NOTIFY users, '3'`)
	check.Exec(t, sender, `NOTIFY users, 'last'`)
	check.Equal(t, "received", received(t, listener), []string{"users 3"})
	check.Exec(t, listener, `UNLISTEN *`)
	check.Values[string](t, listener, nil, `SELECT * FROM pg_listening_channels()`)
}

// A session in a transaction hears nothing until that has ended.
func TestDeliveryWaitsForTheTransactionsEnd(t *testing.T) {
	t.Parallel()
	cell := pgcell.New(t)
	listener := listen(t, cell.Config(), "orders")
	check.Exec(t, listener, `BEGIN`)
	check.Exec(t, cell.Pool(), `NOTIFY orders, 'sent meanwhile'`)
	check.Exec(t, listener, `NOTIFY orders, 'own'`)
	check.Exec(t, listener, `SELECT 1`)
	check.Exec(t, listener, `COMMIT`)
	check.Exec(t, listener, `NOTIFY orders, 'last'`)
	check.Equal(t, "received", received(t, listener), []string{"orders sent meanwhile", "orders own"})
}

// Two cells listen on a channel of one name: each hears its own database's messages and none of the other's.
func TestNoCrossTalkBetweenCells(t *testing.T) {
	t.Parallel()
	cells := []*pgcell.Cell{pgcell.New(t), pgcell.New(t)}
	var listeners []*pgx.Conn
	for _, cell := range cells {
		listeners = append(listeners, listen(t, cell.Config(), "orders"))
	}
	for _, cell := range cells {
		check.Exec(t, cell.Pool(), `SELECT pg_notify('orders', current_database())`)
	}
	for _, cell := range cells {
		check.Exec(t, cell.Pool(), `NOTIFY orders, 'last'`)
	}
	for i, cell := range cells {
		check.Equal(t, "heard in "+cell.Name(), received(t, listeners[i]), []string{"orders " + cell.Name()})
	}
}

// Tests that all use the channel "events" at the same time: none hears another's messages.
func TestSameChannelInManyTests(t *testing.T) {
	t.Parallel()
	for i := range 6 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			cell := pgcell.New(t)
			listener := listen(t, cell.Config(), "events")
			for n := range 5 {
				check.Exec(t, cell.Pool(), `SELECT pg_notify('events', $1)`, fmt.Sprintf("%d-%d", i, n))
			}
			check.Exec(t, cell.Pool(), `NOTIFY events, 'last'`)
			var want []string
			for n := range 5 {
				want = append(want, fmt.Sprintf("events %d-%d", i, n))
			}
			check.Equal(t, "received", received(t, listener), want)
		})
	}
}
