package external

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// setting is a parameter of a database.
type setting struct{ name, value string }

// Request says which database [Server.Take] makes.
type Request struct {
	Worker string // part of its name, which is test_db_<worker>_<id>
	// Name is that of a further database of a test: the name of its first one, and _2, _3, ... Default: a new name.
	Name  string
	Empty bool // a database without anything in it, in place of a clone
}

// Take makes a database: a clone of the template, owned by the role of the URL. Drop it. Cost: 20 to 100 ms, by the
// server's storage.
func (s *Server) Take(ctx context.Context, r Request) (name string, err error) {
	if err := s.alive(ctx); err != nil {
		return "", fmt.Errorf("make a database: %w", err)
	}
	name = r.Name
	s.mu.Lock()
	if name == "" {
		s.next++
		name = cellName(r.Worker, s.owner, s.next)
	}
	s.cells[name] = true
	s.mu.Unlock()
	sql := fmt.Sprintf("CREATE DATABASE %s CONNECTION LIMIT %d", quote(name), cellMark)
	if !r.Empty {
		sql += " TEMPLATE " + quote(s.template)
	}
	if err = s.create(ctx, sql); err == nil && !r.Empty {
		err = s.dressUp(ctx, name)
	}
	if err != nil {
		s.Drop(context.WithoutCancel(ctx), name)
		return "", fmt.Errorf("make a database: %w", err)
	}
	return name, nil
}

func quote(name string) string { return pgx.Identifier{name}.Sanitize() }

// cellName has the owner in it, by which a sweep finds out if he lives.
func cellName(worker string, owner, n uint32) string {
	return fmt.Sprintf("test_db_%s_%08x%04x", worker, owner, n)
}

// ownerOf reads the owner out of a name that cellName made, or of one with a number behind that.
func ownerOf(name string) (owner uint32, ok bool) {
	parts := strings.Split(name, "_") // test, db, worker, id, number
	for len(parts) > 4 && len(parts[len(parts)-1]) < idLength {
		parts = parts[:len(parts)-1]
	}
	id := parts[len(parts)-1]
	if !strings.HasPrefix(name, "test_db_") || len(id) < idLength {
		return 0, false
	}
	n, err := strconv.ParseUint(id[:8], 16, 32)
	return uint32(n), err == nil
}

// idLength is the least length of the id in a cell's name: 8 digits for its owner, and 4 for the cell.
const idLength = 12

// create waits while somebody is connected to the template, as another's CREATE DATABASE from template1 may find.
func (s *Server) create(ctx context.Context, sql string) error {
	const objectInUse = "55006"
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		_, err := s.pool.Exec(ctx, sql)
		var pg *pgconn.PgError
		if err == nil || !errors.As(err, &pg) || pg.Code != objectInUse {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(wait):
		}
	}
}

// dressUp gives a clone the template's parameters and rights.
func (s *Server) dressUp(ctx context.Context, name string) error {
	if len(s.dress) == 0 && len(s.grants) == 0 {
		return nil
	}
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		for _, p := range s.dress { // FROM CURRENT needs no quoting, which differs between parameters
			if _, err := tx.Exec(ctx, "SELECT set_config($1, $2, true)", p.name, p.value); err != nil {
				return fmt.Errorf("set %s as in the template: %w", p.name, err)
			}
			if _, err := tx.Exec(ctx, fmt.Sprintf("ALTER DATABASE %s SET %s FROM CURRENT", quote(name), parameter(p.name))); err != nil {
				return fmt.Errorf("set %s as in the template: %w", p.name, err)
			}
		}
		for _, grant := range s.grants {
			if _, err := tx.Exec(ctx, strings.Replace(grant, "%s", quote(name), 1)); err != nil {
				return fmt.Errorf("%s as in the template: %w", grant, err)
			}
		}
		return nil
	})
}

// parameter quotes a name such as my.setting, whose parts are identifiers.
func parameter(name string) string { return pgx.Identifier(strings.Split(name, ".")).Sanitize() }

// Drop drops a database that Take made, with its sessions. A second call does nothing.
func (s *Server) Drop(ctx context.Context, name string) error {
	s.mu.Lock()
	mine := s.cells[name]
	s.mu.Unlock()
	if !mine {
		return nil
	}
	if err := dropDatabase(ctx, s.pool, name); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.cells, name)
	return nil
}

// Keep leaves a database that Take made where it is, for a day: the first sweep after that drops it. This process need
// not live until then.
func (s *Server) Keep(ctx context.Context, name string) error {
	now := time.Now().UTC().Truncate(time.Second)
	text, err := json.Marshal(usage{Made: now, Used: now})
	if err != nil {
		return err
	}
	for _, sql := range []string{
		fmt.Sprintf("COMMENT ON DATABASE %s IS '%s'", quote(name), text), // first, since the sweep goes by it
		fmt.Sprintf("ALTER DATABASE %s CONNECTION LIMIT %d", quote(name), keptMark),
	} {
		if _, err := s.pool.Exec(ctx, sql); err != nil {
			return fmt.Errorf("keep database %s: %w", name, err)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.cells, name)
	return nil
}
