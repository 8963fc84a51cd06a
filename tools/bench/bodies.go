package main

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// body is what a test does with its database.
type body struct {
	name     string
	what     string
	template template
	run      func(ctx context.Context, db querier, t template, n int64) error // n is another number each time
}

func (b body) String() string { return b.name }

var bodies = []body{
	{"rows", "15 inserts in 3 of 30 tables", small, insertRows},
	{"read", "5 queries, nothing is changed", small, readRows},
	{"ddl", "makes a table, an index, a column and a view", small, changeSchema},
	{"rows200", "15 inserts in 3 of 200 tables", large, insertRows},
}

// querier is a database, or a transaction in one, through whatever the method gives its tests.
type querier interface {
	exec(ctx context.Context, sql string, args ...any) error
	scan(ctx context.Context, sql string, into any, args ...any) error
}

// viaPgx is a pgxpool.Pool or a pgx.Tx.
type viaPgx struct {
	db interface {
		Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error)
		QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	}
}

func (q viaPgx) exec(ctx context.Context, sql string, args ...any) error {
	_, err := q.db.Exec(ctx, sql, args...)
	return err
}

func (q viaPgx) scan(ctx context.Context, sql string, into any, args ...any) error {
	return q.db.QueryRow(ctx, sql, args...).Scan(into)
}

// viaSQL is database/sql.
type viaSQL struct{ db *sql.DB }

func (q viaSQL) exec(ctx context.Context, sql string, args ...any) error {
	_, err := q.db.ExecContext(ctx, sql, args...)
	return err
}

func (q viaSQL) scan(ctx context.Context, sql string, into any, args ...any) error {
	return q.db.QueryRowContext(ctx, sql, args...).Scan(into)
}

// insertRows puts 5 rows into each of 3 tables, the second and third of which refer to the one before.
func insertRows(ctx context.Context, db querier, _ template, n int64) error {
	for i := range 5 {
		var parent *int64
		for k := 1; k <= 3; k++ {
			var id int64
			insert := "INSERT INTO " + table(k) + " (parent, name, amount) VALUES ($1, $2, $3) RETURNING id"
			if err := db.scan(ctx, insert, &id, parent, fmt.Sprint("row ", n, " ", i), i); err != nil {
				return err
			}
			parent = &id
		}
	}
	return nil
}

// readRows reads seeds in five ways.
func readRows(ctx context.Context, db querier, t template, n int64) error {
	a, b := table(t.tables), table(t.tables-1)
	var got string
	for _, q := range []string{
		"SELECT name FROM " + a + " WHERE id = $1",
		"SELECT amount::text FROM " + a + " WHERE name = 'name ' || $1::bigint",
		"SELECT count(*)::text FROM " + a + " JOIN " + b + " USING (id) WHERE " + a + ".parent < $1",
		"SELECT sum(amount)::text FROM " + b + " WHERE parent >= 50 - $1::bigint",
		"SELECT max(name) FROM " + b + " WHERE id <= $1",
	} {
		if err := db.scan(ctx, q, &got, n%40+1); err != nil {
			return err
		}
	}
	return nil
}

// changeSchema does what a migration under test does. Names differ, for without isolation they would clash.
func changeSchema(ctx context.Context, db querier, _ template, n int64) error {
	made := fmt.Sprintf("made_%d", n)
	for _, statement := range []string{
		"CREATE TABLE " + made + " (id bigint PRIMARY KEY, name text NOT NULL)",
		"CREATE INDEX ON " + made + " (name)",
		"ALTER TABLE " + made + " ADD COLUMN amount numeric NOT NULL DEFAULT 1",
		"CREATE VIEW " + made + "_view AS SELECT name, sum(amount) AS amount FROM " + made + " GROUP BY name",
		"INSERT INTO " + made + " VALUES (1, 'one')",
	} {
		if err := db.exec(ctx, statement); err != nil {
			return err
		}
	}
	var amount string
	return db.scan(ctx, "SELECT amount::text FROM "+made+"_view", &amount)
}
