package external_test

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pgcell/pgcell/tools/internal/external"
)

// TestUnfitServers has servers that are too old, or a standby: they answer what one of that kind would.
func TestUnfitServers(t *testing.T) {
	t.Parallel()
	for want, values := range map[string][]string{
		"it is PostgreSQL 12.22; PostgreSQL 13 is the oldest that can be used":               {"120022", "f", "app", "t"},
		"it is a standby, which makes no databases; give the URL of its primary":             {"150001", "t", "app", "t"},
		`role "app" may not create databases; run ALTER ROLE "app" CREATEDB as a superuser;`: {"150001", "f", "app", "f"},
	} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { listener.Close() })
		go answer(listener, [][]string{{"42"}, values})
		url := fmt.Sprintf("postgres://app@%s/postgres?sslmode=disable", listener.Addr())
		var unfit *external.UnfitError
		if _, err := external.Open(t.Context(), config(url)); !errors.As(err, &unfit) || !strings.Contains(err.Error(), want) {
			t.Errorf("Open = %v, want %q", err, want)
		}
	}
}

// answer is a server with process id 42 that answers the queries of its first client by a row each.
func answer(listener net.Listener, rows [][]string) {
	conn, err := listener.Accept()
	if err != nil {
		return
	}
	defer conn.Close()
	b := pgproto3.NewBackend(conn, conn)
	if _, err := b.ReceiveStartupMessage(); err != nil {
		return
	}
	b.Send(&pgproto3.AuthenticationOk{})
	b.Send(&pgproto3.BackendKeyData{ProcessID: 42, SecretKey: []byte("key!")})
	ready := func() { b.Send(&pgproto3.ReadyForQuery{TxStatus: 'I'}); b.Flush() }
	for ready(); len(rows) > 0; {
		message, err := b.Receive()
		if err != nil {
			return
		}
		row := &pgproto3.RowDescription{}
		data := &pgproto3.DataRow{}
		for _, value := range rows[0] {
			oid := uint32(pgtype.TextOID)
			switch _, err := strconv.Atoi(value); {
			case err == nil:
				oid = pgtype.Int4OID
			case len(value) == 1:
				oid = pgtype.BoolOID
			}
			row.Fields = append(row.Fields, pgproto3.FieldDescription{Name: []byte("x"), DataTypeOID: oid})
			data.Values = append(data.Values, []byte(value))
		}
		switch message.(type) {
		case *pgproto3.Parse:
			b.Send(&pgproto3.ParseComplete{})
		case *pgproto3.Bind:
			b.Send(&pgproto3.BindComplete{})
		case *pgproto3.Describe:
			b.Send(row)
		case *pgproto3.Execute:
			b.Send(data)
			b.Send(&pgproto3.CommandComplete{CommandTag: []byte("SELECT 1")})
			rows = rows[1:]
		case *pgproto3.Sync:
			ready()
		}
	}
	b.Receive() // Sync
	ready()
	b.Receive() // until the client ends
}
