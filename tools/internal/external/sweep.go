package external

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Abandoned lists the databases that [Sweep] would drop.
func Abandoned(ctx context.Context, url string, keepFor time.Duration) ([]string, error) {
	var found []string
	err := visit(ctx, url, func(pool *pgxpool.Pool) (err error) {
		found, err = abandoned(ctx, pool, orDefault(keepFor))
		return err
	})
	return found, err
}

// Sweep drops what dead processes have left on a server, and templates that nobody has used for keepFor (0: 7 days). It
// leaves what belongs to a process that lives, on whichever machine, and what another role owns. It gives the names.
func Sweep(ctx context.Context, url string, keepFor time.Duration) ([]string, error) {
	var dropped []string
	err := visit(ctx, url, func(pool *pgxpool.Pool) (err error) {
		dropped, err = sweep(ctx, pool, orDefault(keepFor))
		return err
	})
	return dropped, err
}

func orDefault(keepFor time.Duration) time.Duration {
	if keepFor == 0 {
		return keepTemplates
	}
	return keepFor
}

func visit(ctx context.Context, url string, do func(*pgxpool.Pool) error) error {
	base, err := parse(url)
	if err != nil {
		return err
	}
	pool, err := newPool(ctx, base)
	if err != nil {
		return err
	}
	defer pool.Close()
	if err := do(pool); err != nil {
		return fmt.Errorf("look for databases of dead processes on server %s: %w", address(base), err)
	}
	return nil
}

func sweep(ctx context.Context, pool *pgxpool.Pool, keepFor time.Duration) (dropped []string, err error) {
	found, err := abandoned(ctx, pool, keepFor)
	if err != nil {
		return nil, err
	}
	var errs []error
	for _, name := range found {
		if err := dropDatabase(ctx, pool, name); err != nil {
			errs = append(errs, err)
			continue
		}
		dropped = append(dropped, name)
	}
	return dropped, errors.Join(errs...)
}

// abandoned lists this role's databases that bear pgcell's marks and have no living owner. An owner takes his lock before
// he makes a database; so the databases are listed first, and the locks then.
func abandoned(ctx context.Context, pool *pgxpool.Pool, keepFor time.Duration) (found []string, err error) {
	type database struct {
		name    string
		limit   int
		open    bool
		comment *string
		now     time.Time
	}
	rows, err := pool.Query(ctx, `SELECT datname, datconnlimit, datallowconn, shobj_description(d.oid, 'pg_database'), now()
FROM pg_database d JOIN pg_roles r ON r.oid = datdba WHERE rolname = current_user AND datconnlimit IN ($1, $2, $3) ORDER BY 1`, cellMark, templateMark, keptMark)
	if err != nil {
		return nil, err
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (d database, err error) {
		return d, row.Scan(&d.name, &d.limit, &d.open, &d.comment, &d.now)
	})
	if err != nil {
		return nil, err
	}
	owners, err := locked(ctx, pool, ownerLock)
	if err != nil {
		return nil, err
	}
	used, err := locked(ctx, pool, useLock)
	if err != nil {
		return nil, err
	}
	for _, d := range all {
		switch owner, ok := ownerOf(d.name); {
		case d.limit == cellMark && ok && !owners[owner]:
			found = append(found, d.name)
		case d.limit == keptMark && ok && d.comment != nil && unused(*d.comment, d.now) > keepCells:
			found = append(found, d.name)
		case d.limit == templateMark && strings.HasPrefix(d.name, templatePrefix) && !d.open && !used[uint32(keyOf(d.name))]:
			if d.comment != nil && unused(*d.comment, d.now) > keepFor {
				found = append(found, d.name)
			}
		}
	}
	return found, nil
}

// unused gives how long a template has not been used, by its comment; 0 where that does not tell.
func unused(comment string, now time.Time) time.Duration {
	var u usage
	if json.Unmarshal([]byte(comment), &u) != nil || u.Used.IsZero() {
		return 0
	}
	return now.Sub(u.Used)
}

// locked gives the second numbers of all advisory locks of a class that are held, in whatever database.
func locked(ctx context.Context, pool *pgxpool.Pool, class int64) (map[uint32]bool, error) {
	rows, err := pool.Query(ctx, "SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND classid = $1::bigint::oid AND granted", class)
	if err != nil {
		return nil, err
	}
	held := map[uint32]bool{}
	var id int64
	_, err = pgx.ForEachRow(rows, []any{&id}, func() error { held[uint32(id)] = true; return nil })
	return held, err
}

// dropDatabase drops a database with its sessions, and a template as well. One that is not there is no error. A worker of
// autovacuum, which only a superuser may end, makes WITH (FORCE) fail; it does not stay for long.
func dropDatabase(ctx context.Context, pool *pgxpool.Pool, name string) error {
	const undefined, inUse, notAllowed = "3D000", "55006", "42501"
	deadline := time.Now().Add(20 * time.Second)
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		_, err := pool.Exec(ctx, "DROP DATABASE IF EXISTS "+quote(name)+" WITH (FORCE)")
		var pg *pgconn.PgError
		if errors.As(err, &pg) && strings.Contains(pg.Message, "template") {
			if _, err = pool.Exec(ctx, "ALTER DATABASE "+quote(name)+" WITH IS_TEMPLATE false"); err == nil {
				continue
			}
		}
		if err == nil || errors.As(err, &pg) && pg.Code == undefined {
			return nil
		}
		again := errors.As(err, &pg) && (pg.Code == inUse || pg.Code == notAllowed) && time.Now().Before(deadline)
		if !again || ctx.Err() != nil {
			return fmt.Errorf("drop database %s: %w", name, err)
		}
		time.Sleep(wait)
	}
}
