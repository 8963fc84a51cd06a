package lend

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/pgcell/pgcell/tools/internal/golden"
)

// ServeAt takes connections from a listener at an address that is written into the suite, so that its clients cannot be
// told a user or a password. Each is let in with whatever password it has, as [golden.Role] unless it names a role that
// the template made, and to its process's own database where it asks for the one called database; "" is any but postgres
// and template1. Only processes that may connect as all of these must reach the listener.
func (b *Broker) ServeAt(l net.Listener, database string) {
	b.accept(l, func(client net.Conn) { b.welcome(client, database) })
}

// welcome serves one client.
func (b *Broker) welcome(client net.Conn, database string) {
	client.SetDeadline(time.Now().Add(time.Minute))
	packet, err := readStartup(client)
	if err != nil {
		return
	}
	client.SetDeadline(time.Time{})
	if binary.BigEndian.Uint32(packet[4:]) == cancelRequest {
		b.cancel(client, packet)
		return
	}
	if err := b.admit(client, packet, database); err != nil {
		if text, err := refusal(err).Encode(nil); err == nil {
			client.Write(text)
		}
	}
}

// refusal is what the server says, or what pgcell does.
func refusal(err error) *pgproto3.ErrorResponse {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return &pgproto3.ErrorResponse{
			Severity: pg.Severity, SeverityUnlocalized: pg.SeverityUnlocalized, Code: pg.Code, Message: pg.Message,
			Detail: pg.Detail, Hint: pg.Hint, Routine: pg.Routine,
		}
	}
	return &pgproto3.ErrorResponse{Severity: "FATAL", SeverityUnlocalized: "FATAL", Code: "58000", Message: "pgcell: " + err.Error()}
}

// admit logs in to the server for the client, and relays.
func (b *Broker) admit(client net.Conn, packet []byte, database string) error {
	var startup pgproto3.StartupMessage
	if err := startup.Decode(packet[4:]); err != nil {
		return fmt.Errorf("read the start-up message: %w", err)
	}
	asked := startup.Parameters["database"]
	if asked == "" {
		asked = startup.Parameters["user"]
	}
	unit, n, err := b.findAt(client, asked, database)
	if err != nil {
		return err
	}
	if n > 0 {
		if asked, err = unit.database(n); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	server, greeting, err := b.logIn(ctx, asked, startup.Parameters)
	if err != nil {
		return err
	}
	defer server.Close()
	done, ok := unit.connected(server)
	if !ok {
		return fmt.Errorf("%s has ended", unit.what)
	}
	defer done()
	if _, err := client.Write(greeting); err != nil {
		return nil // the client is gone
	}
	relay(client, server)
	return nil
}

// findAt is find for clients whose own database is called by a name that is written into the suite.
func (b *Broker) findAt(client net.Conn, asked, own string) (u *Unit, n int, err error) {
	if suffix, ok := strings.CutPrefix(asked, own); ok && own != "" {
		if n, ok := ordinal(suffix); ok {
			u, err := b.unitOf(client)
			return u, n, err
		}
	}
	if u, n, err = b.find(client, asked); err == nil && n == 0 && own == "" && asked != "postgres" && asked != "template1" {
		n = 1
	}
	return u, n, err
}

// logIn connects to a database with a client's parameters, and gives the connection and what the client is to be sent.
func (b *Broker) logIn(ctx context.Context, database string, parameters map[string]string) (net.Conn, []byte, error) {
	cluster, err := b.server()
	if err != nil {
		return nil, nil, err
	}
	role := golden.Role
	if user := parameters["user"]; user != b.config.User {
		var there bool
		const sql = "SELECT count(*) > 0 FROM pg_roles WHERE rolname = $1 AND rolcanlogin AND NOT rolsuper"
		if err := cluster.Admin().QueryRow(ctx, sql, user).Scan(&there); err != nil {
			return nil, nil, fmt.Errorf("look for role %q: %w", user, err)
		}
		if there {
			role = user
		}
	}
	c := cluster.Server().ConnConfig(role, database).Config
	c.RuntimeParams = maps.Clone(parameters)
	delete(c.RuntimeParams, "user")
	delete(c.RuntimeParams, "database")
	conn, err := pgconn.ConnectConfig(ctx, &c)
	if down := cluster.Server().Err(); err != nil && down != nil {
		err = down
	}
	if err != nil {
		return nil, nil, err
	}
	return greet(conn)
}

// greet takes a connection out of pgconn's hands, with what a server sends to a client that has logged in.
func greet(conn *pgconn.PgConn) (net.Conn, []byte, error) {
	h, err := conn.Hijack()
	if err != nil {
		return nil, nil, fmt.Errorf("take over a connection: %w", err)
	}
	messages := []pgproto3.BackendMessage{&pgproto3.AuthenticationOk{}}
	for _, name := range slices.Sorted(maps.Keys(h.ParameterStatuses)) {
		messages = append(messages, &pgproto3.ParameterStatus{Name: name, Value: h.ParameterStatuses[name]})
	}
	key := &pgproto3.BackendKeyData{ProcessID: h.PID, SecretKey: h.SecretKey}
	messages = append(messages, key, &pgproto3.ReadyForQuery{TxStatus: h.TxStatus})
	var text []byte
	for _, m := range messages {
		if text, err = m.Encode(text); err != nil {
			h.Conn.Close()
			return nil, nil, fmt.Errorf("greet a client: %w", err)
		}
	}
	return h.Conn, text, nil
}
