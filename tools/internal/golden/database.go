package golden

import (
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// ownSettings are parameters that pgcell gives to each server.
var ownSettings = []string{
	"port", "listen_addresses", "unix_socket_directories", "unix_socket_permissions", "unix_socket_group", "hba_file", "ident_file",
	"external_pid_file", "log_destination", "logging_collector",
}

// checkSystem refuses those that a migration has set by ALTER SYSTEM, which would hold over pgcell's.
func (b *builder) checkSystem() error {
	return b.as(Superuser, "postgres", func(conn *pgx.Conn) error {
		const query = "SELECT name FROM pg_file_settings WHERE sourcefile LIKE '%postgresql.auto.conf' AND name = ANY ($1) ORDER BY 1"
		names, err := collect[string](b.ctx, conn, query, ownSettings)
		if err != nil {
			return fmt.Errorf("read what ALTER SYSTEM has set: %w", err)
		}
		if len(names) > 0 {
			return fmt.Errorf("a migration says ALTER SYSTEM SET %s, which pgcell sets for each server by itself; take that out of it",
				strings.Join(names, ", "))
		}
		return nil
	})
}

// undefinedDatabase is the SQLSTATE for a database that is not there.
const undefinedDatabase = "3D000"

// databaseHint says what to do about a script that names production's database; "" where a migration failed for another
// reason.
func databaseHint(err error) string {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) || pg.Code != undefinedDatabase {
		return ""
	}
	return "a template has a name of its own: ask for it, as in DO $$ BEGIN EXECUTE format('GRANT CONNECT ON DATABASE %I TO reader', " +
		"current_database()); END $$"
}
