package cells

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// objectInUse is the SQLSTATE of what keeps a database from being dropped even by force.
const objectInUse = "55006"

// drop removes a database, with sessions, prepared transactions and replication slots in it.
//
// Errors name the database; it then stays until the server ends.
func (c *Cluster) drop(ctx context.Context, name string) error {
	c.dropping <- struct{}{}
	defer func() { <-c.dropping }()
	sql := "DROP DATABASE IF EXISTS " + pgx.Identifier{name}.Sanitize() + " WITH (FORCE)"
	if undress := c.manifest.Facts.Undress(name); undress != "" {
		if _, err := c.admin.Exec(ctx, undress); err != nil {
			return c.explain("drop cell "+name, err)
		}
	}
	_, err := c.admin.Exec(ctx, sql)
	var pg *pgconn.PgError
	if errors.As(err, &pg) && pg.Code == objectInUse {
		if err = c.release(ctx, name); err == nil {
			_, err = c.admin.Exec(ctx, sql)
		}
	}
	if err != nil {
		return c.explain("drop cell "+name, err)
	}
	return nil
}

// release ends what belongs to no session: prepared transactions, which only a session of the same database can end,
// and inactive replication slots.
func (c *Cluster) release(ctx context.Context, name string) error {
	conn, err := c.server.Connect(ctx, AdminRole, name)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, "SELECT format('ROLLBACK PREPARED %L', gid) FROM pg_prepared_xacts WHERE database = current_database()"+
		" UNION ALL SELECT format('SELECT pg_drop_replication_slot(%L)', slot_name) FROM pg_replication_slots"+
		" WHERE database = current_database() AND NOT active")
	if err != nil {
		return err
	}
	statements, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, sql := range statements {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
	}
	return nil
}
