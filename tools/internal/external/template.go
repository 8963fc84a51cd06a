package external

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const templatePrefix = "pgcell_template_"

// usage is a template's comment.
type usage struct {
	Made time.Time `json:"pgcell_template_made"`
	Used time.Time `json:"last_used"`
}

// findTemplate finds the template, or builds it while others wait. The lock is a session's, so it is free as soon as a
// builder has died; then what it has begun is dropped.
func (s *Server) findTemplate(ctx context.Context) error {
	if s.config.Once {
		return s.buildOnce(ctx)
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "1 %d %q %s", s.version/10000, s.base.User, s.config.Template))
	s.template = templatePrefix + hex.EncodeToString(sum[:8])
	// From here on no sweep takes it for unused.
	_, err := s.lock.Exec(ctx, "SELECT pg_advisory_lock_shared($1, $2)", useLock, keyOf(s.template))
	ready := false
	if err == nil {
		ready, err = s.templateReady(ctx)
	}
	if err == nil && !ready {
		err = s.makeTemplate(ctx)
	}
	if err != nil {
		return fmt.Errorf("template %s: %w", s.template, err)
	}
	if err := s.touch(ctx); err != nil {
		return fmt.Errorf("template %s: note its use: %w", s.template, err)
	}
	return s.readDress(ctx)
}

// buildOnce builds a template that a sweep takes for a cell.
func (s *Server) buildOnce(ctx context.Context) error {
	s.template = cellName("template", s.owner, 0)
	s.mu.Lock()
	s.cells[s.template] = true
	s.mu.Unlock()
	if err := s.build(ctx, fmt.Sprintf("CREATE DATABASE %s CONNECTION LIMIT %d", quote(s.template), cellMark)); err != nil {
		return fmt.Errorf("template %s: %w", s.template, err)
	}
	return s.readDress(ctx)
}

// templateReady reports whether the template is there and sealed.
func (s *Server) templateReady(ctx context.Context) (ready bool, err error) {
	const sql = "SELECT coalesce((SELECT NOT datallowconn FROM pg_database WHERE datname = $1), false)"
	err = s.pool.QueryRow(ctx, sql, s.template).Scan(&ready)
	return ready, err
}

// keyOf is a template's number among locks.
func keyOf(template string) int32 {
	h := fnv.New32a()
	h.Write([]byte(template))
	return int32(h.Sum32())
}

func (s *Server) makeTemplate(ctx context.Context) error {
	key := keyOf(s.template)
	conn, err := connect(ctx, s.base) // whose end, in whatever way, frees the lock
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := lockTemplate(ctx, conn, key); err != nil {
		return fmt.Errorf("wait for others that build it: %w", err)
	}
	if ready, err := s.templateReady(ctx); ready || err != nil {
		return err
	}
	if err := dropDatabase(ctx, s.pool, s.template); err != nil { // a builder has died
		return err
	}
	return s.build(ctx, fmt.Sprintf("CREATE DATABASE %s CONNECTION LIMIT %d", quote(s.template), templateMark))
}

// lockTemplate takes the lock of who builds a template. Advisory locks are a database's, and others may take theirs in
// another, as their URL says: of two who hold one each, that in the database of the higher oid gives way.
func lockTemplate(ctx context.Context, conn *pgx.Conn, key int32) error {
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, time.Second) {
		if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1, $2)", templateLock, key); err != nil {
			return err
		}
		for {
			lower, others, err := lockedElsewhere(ctx, conn, key)
			if err != nil || !others {
				return err
			}
			if lower {
				if _, err := conn.Exec(ctx, "SELECT pg_advisory_unlock($1, $2)", templateLock, key); err != nil {
					return err
				}
			}
			select {
			case <-ctx.Done():
				return context.Cause(ctx)
			case <-time.After(wait):
			}
			if lower {
				break
			}
		}
	}
}

// lockedElsewhere reports whether another database has the lock too, and whether one of a lower oid has.
func lockedElsewhere(ctx context.Context, conn *pgx.Conn, key int32) (lower, others bool, err error) {
	const sql = `SELECT coalesce(bool_or(l.database < d.oid), false), count(*) > 0 FROM pg_locks l, pg_database d
WHERE locktype = 'advisory' AND classid = $1::bigint::oid AND objid = $2::bigint::oid AND granted
	AND d.datname = current_database() AND l.database <> d.oid`
	err = conn.QueryRow(ctx, sql, int64(templateLock), int64(uint32(key))).Scan(&lower, &others)
	return lower, others, err
}

// build makes the template by an SQL statement, fills it, and seals it.
func (s *Server) build(ctx context.Context, sql string) error {
	if err := s.create(ctx, sql); err != nil {
		return err
	}
	if s.config.Build != nil {
		if err := s.config.Build(ctx, s.ConnConfig(s.template)); err != nil {
			return errors.Join(err, dropDatabase(context.WithoutCancel(ctx), s.pool, s.template))
		}
	}
	if _, err := s.pool.Exec(ctx, terminate, s.template); err != nil {
		return fmt.Errorf("end the sessions that its build has left: %w", err)
	}
	if _, err := s.pool.Exec(ctx, "ALTER DATABASE "+quote(s.template)+" WITH IS_TEMPLATE true ALLOW_CONNECTIONS false"); err != nil {
		return fmt.Errorf("seal it: %w", err)
	}
	return nil
}

// terminate ends all sessions of a database that the role may end; autovacuum's it may not.
const terminate = `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = $1 AND pid <> pg_backend_pid() AND usesysid IS NOT NULL AND pg_has_role(usesysid, 'MEMBER')`

// touch notes in the comment when the template was used, at most once an hour.
func (s *Server) touch(ctx context.Context) error {
	var comment *string
	var now time.Time
	const sql = "SELECT shobj_description(oid, 'pg_database'), now() FROM pg_database WHERE datname = $1"
	if err := s.pool.QueryRow(ctx, sql, s.template).Scan(&comment, &now); err != nil {
		return err
	}
	u := usage{Made: now}
	if comment != nil {
		json.Unmarshal([]byte(*comment), &u) // what cannot be read is written anew
	}
	if now.Sub(u.Used) < time.Hour {
		return nil
	}
	u.Used = now.UTC().Truncate(time.Second)
	text, err := json.Marshal(u)
	if err != nil {
		return err
	}
	_, err = s.pool.Exec(ctx, fmt.Sprintf("COMMENT ON DATABASE %s IS '%s'", quote(s.template), text)) // times and names alone
	const updatedByAnother = "XX000"                                                                  // tuple concurrently updated
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == updatedByAnother {
		return nil
	}
	return err
}

// readDress reads what CREATE DATABASE does not copy: the parameters that migrations gave to the database, and rights.
func (s *Server) readDress(ctx context.Context) error {
	rows, err := s.pool.Query(ctx, `SELECT split_part(c, '=', 1), substr(c, strpos(c, '=') + 1)
FROM pg_db_role_setting, unnest(setconfig) c, pg_database d WHERE setdatabase = d.oid AND setrole = 0 AND datname = $1`, s.template)
	if err == nil {
		s.dress, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (p setting, err error) {
			return p, row.Scan(&p.name, &p.value)
		})
	}
	if err != nil {
		return fmt.Errorf("read the parameters of template %s: %w", s.template, err)
	}
	rows, err = s.pool.Query(ctx, `
SELECT 'REVOKE ALL ON DATABASE %s FROM PUBLIC' FROM pg_database WHERE datname = $1 AND datacl IS NOT NULL UNION ALL
SELECT format('GRANT %s ON DATABASE %%s TO %s', privilege_type, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END)
FROM pg_database, aclexplode(datacl) WHERE datname = $1 AND grantee <> datdba`, s.template)
	if err == nil {
		s.grants, err = pgx.CollectRows(rows, pgx.RowTo[string])
	}
	if err != nil {
		return fmt.Errorf("read the rights of template %s: %w", s.template, err)
	}
	return nil
}
