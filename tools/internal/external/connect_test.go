package external_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
)

// TestConnect has more clients than the server has connections: all are served, each with its own parameters.
func TestConnect(t *testing.T) {
	t.Parallel()
	team := mustTeam(t, map[string]string{"max_connections": "14"})
	s := mustOpen(t, config(team.url))
	name := mustTake(t, s)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var group sync.WaitGroup
	for i := range 30 {
		group.Go(func() {
			app := fmt.Sprintf("client %d", i)
			conn, err := s.Connect(ctx, name, map[string]string{"user": "somebody", "database": "app", "application_name": app})
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close(context.Background())
			const sql = "SELECT current_user || ' ' || current_database() || ' ' || current_setting('application_name') || pg_sleep(0.05)::text"
			results, err := conn.Exec(ctx, sql).ReadAll()
			if err != nil {
				t.Error(err)
				return
			}
			if got, want := string(results[0].Rows[0][0]), "app "+name+" "+app; got != want {
				t.Errorf("a client is %q, want %q", got, want)
			}
		})
	}
	group.Wait()
}

// TestCancel cancels a statement by the key that the server gave to its session.
func TestCancel(t *testing.T) {
	t.Parallel()
	team := mustTeam(t, nil)
	s := mustOpen(t, config(team.url))
	conn, err := s.Connect(t.Context(), "postgres", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	packet := binary.BigEndian.AppendUint32(nil, uint32(12+len(conn.SecretKey())))
	packet = binary.BigEndian.AppendUint32(packet, 80877102)
	packet = append(binary.BigEndian.AppendUint32(packet, conn.PID()), conn.SecretKey()...)
	ended := make(chan error, 1)
	go func() { ended <- conn.Exec(t.Context(), "SELECT pg_sleep(60)").Close() }()
	for deadline := time.After(30 * time.Second); ; {
		if err := s.Cancel(t.Context(), packet); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-ended:
			var pg *pgconn.PgError
			if !errors.As(err, &pg) || pg.Code != "57014" {
				t.Errorf("the statement ended by %v, want 57014 (query canceled)", err)
			}
			return
		case <-deadline:
			t.Fatal("the statement goes on")
		case <-time.After(50 * time.Millisecond):
		}
	}
}
