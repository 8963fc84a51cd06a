// Package bulk_test moves many rows, and large ones, by every way that PostgreSQL and pgx have: COPY, batches,
// pipelines, cursors, large objects, and single statements that do the work of thousands.
package bulk_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// copyIn sends data to a COPY ... FROM STDIN statement and returns the count of rows.
func copyIn(t *testing.T, conn *pgx.Conn, sql, data string) (int64, error) {
	t.Helper()
	tag, err := conn.PgConn().CopyFrom(t.Context(), strings.NewReader(data), sql)
	return tag.RowsAffected(), err
}

// copyOut gives what a COPY ... TO STDOUT statement sends.
func copyOut(t *testing.T, conn *pgx.Conn, sql string) string {
	t.Helper()
	var out bytes.Buffer
	if _, err := conn.PgConn().CopyTo(t.Context(), &out, sql); err != nil {
		t.Fatalf("%s: got error %v, want none", sql, err)
	}
	return out.String()
}

// CopyFrom loads Go values in PostgreSQL's binary form: the fastest way to insert.
func TestCopyFromRows(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (id int PRIMARY KEY, name text, tags text[], price numeric)`)
	const n = 5000
	count, err := db.CopyFrom(t.Context(), pgx.Identifier{"items"}, []string{"id", "name", "tags"},
		pgx.CopyFromSlice(n, func(i int) ([]any, error) {
			return []any{i, fmt.Sprintf("item %d", i), []string{"a", "b"}}, nil
		}))
	if err != nil {
		t.Fatalf("copy: got error %v, want none", err)
	}
	check.Equal(t, "rows copied", count, n)
	check.Value(t, db, int64(n*(n-1)/2),
		`SELECT sum(id) FROM items WHERE tags = '{a,b}' AND name = 'item ' || id AND price IS NULL`)
}

// COPY is one statement: a bad row anywhere means that no row is there.
func TestCopyIsAllOrNothing(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (id int PRIMARY KEY)`)
	rows := [][]any{{1}, {2}, {2}, {3}}
	_, err := db.CopyFrom(t.Context(), pgx.Identifier{"items"}, []string{"id"}, pgx.CopyFromRows(rows))
	check.Code(t, "copy with a duplicate", err, "23505")
	check.Value(t, db, 0, `SELECT count(*) FROM items`)

	broken := errors.New("the source broke")
	_, err = db.CopyFrom(t.Context(), pgx.Identifier{"items"}, []string{"id"},
		pgx.CopyFromFunc(func() ([]any, error) {
			return nil, broken
		}))
	if err == nil || !strings.Contains(err.Error(), broken.Error()) {
		t.Errorf("copy from a broken source: got error %v, want one that says %q", err, broken)
	}
	check.Value(t, db, 0, `SELECT count(*) FROM items`)
}

// CSV with a header, quotes, line breaks in values, and the difference of an empty string and NULL.
func TestCopyCSV(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, pgcell.New(t).Config())
	check.Exec(t, conn, `CREATE TABLE items (id int, name text)`)
	csv := "id,name\n1,\"a \"\"quoted\"\" name\"\n2,\"two\nlines\"\n3,\n4,\"\"\n"
	n, err := copyIn(t, conn, `COPY items FROM STDIN (FORMAT csv, HEADER)`, csv)
	if err != nil || n != 4 {
		t.Fatalf("copy: got %d rows and error %v, want 4 and none", n, err)
	}
	check.Values(t, conn, []string{`a "quoted" name`, "two\nlines", "NULL", ""},
		`SELECT coalesce(name, 'NULL') FROM items ORDER BY id`)
	check.Equal(t, "copied out",
		copyOut(t, conn, `COPY (SELECT * FROM items ORDER BY id) TO STDOUT (FORMAT csv, HEADER)`), csv)
}

// An error says the table, the line and the column, so that a user can mend the file.
func TestCopyErrorNamesLine(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, pgcell.New(t).Config())
	check.Exec(t, conn, `CREATE TABLE items (id int, price int)`)
	for data, where := range map[string]string{
		"1\t10\n2\tdear\n": `COPY items, line 2, column price: "dear"`,
		"1\t10\n2\n":       `COPY items, line 2: "2"`,
		"1\t10\t5\n":       `COPY items, line 1: "1	10	5"`,
	} {
		_, err := copyIn(t, conn, `COPY items FROM STDIN`, data)
		var pgErr interface{ SQLState() string }
		if !errors.As(err, &pgErr) || !strings.HasPrefix(pgErr.SQLState(), "22P0") {
			t.Errorf("copy of %q: got error %v, want a code 22P0x", data, err)
			continue
		}
		check.Equal(t, "where", check.Code(t, "copy", err, pgErr.SQLState()).Where, where)
	}
	check.Value(t, conn, 0, `SELECT count(*) FROM items`)
}

// The text format has tabs between columns, \N for NULL and backslashes before what would be mistaken.
func TestCopyTextFormat(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, pgcell.New(t).Config())
	check.Exec(t, conn, `CREATE TABLE items (a text, b text)`)
	check.Exec(t, conn, `INSERT INTO items VALUES ($1, $2)`, "tab\there", "back\\slash\nline")
	check.Exec(t, conn, `INSERT INTO items VALUES (NULL, '')`)
	check.Equal(t, "text", copyOut(t, conn, `COPY items TO STDOUT`), "tab\\there\tback\\\\slash\\nline\n\\N\t\n")
	check.Equal(t, "other delimiter and null", copyOut(t, conn,
		`COPY (SELECT * FROM items WHERE a IS NULL) TO STDOUT (DELIMITER '|', NULL 'none')`), "none|\n")
}

// COPY out of one cell straight into another, binary all the way, with a pipe between.
func TestCopyBetweenCells(t *testing.T) {
	t.Parallel()
	from, to := check.Conn(t, pgcell.New(t).Config()), check.Conn(t, pgcell.New(t).Config())
	for _, conn := range []*pgx.Conn{from, to} {
		check.Exec(t, conn, `CREATE TABLE items (id int, body jsonb, at timestamptz)`)
	}
	check.Exec(t, from,
		`INSERT INTO items SELECT n, jsonb_build_object('n', n), now() FROM generate_series(1, 1000) n`)
	reader, writer := io.Pipe()
	sent := make(chan error, 1)
	go func() {
		_, err := from.PgConn().CopyTo(t.Context(), writer, `COPY items TO STDOUT (FORMAT binary)`)
		_ = writer.CloseWithError(err)
		sent <- err
	}()
	if _, err := to.PgConn().CopyFrom(t.Context(), reader, `COPY items FROM STDIN (FORMAT binary)`); err != nil {
		t.Fatalf("copy in: got error %v, want none", err)
	}
	if err := <-sent; err != nil {
		t.Fatalf("copy out: got error %v, want none", err)
	}
	sum := `SELECT md5(string_agg(items::text, ',' ORDER BY id)) FROM items`
	check.Value(t, to, check.One[string](t, from, sum), sum)
}

// A WHERE clause filters what COPY loads; triggers and defaults work as for INSERT.
func TestCopyWhere(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, pgcell.New(t).Config())
	check.Exec(t, conn, `CREATE TABLE items (id int, price int, made text DEFAULT 'by copy')`)
	n, err := copyIn(t, conn, `COPY items (id, price) FROM STDIN (FORMAT csv) WHERE price > 10`, "1,5\n2,15\n3,25\n")
	if err != nil || n != 2 {
		t.Fatalf("copy: got %d rows and error %v, want 2 and none", n, err)
	}
	check.Values(t, conn, []string{"2 by copy", "3 by copy"}, `SELECT id || ' ' || made FROM items ORDER BY id`)
}

// ON_ERROR ignore (PostgreSQL 17) leaves out the rows that do not fit their types.
func TestCopyIgnoresBadRows(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, pgcell.New(t).Config())
	check.NeedVersion(t, conn, 17, "COPY ... ON_ERROR")
	check.Exec(t, conn, `CREATE TABLE items (id int)`)
	if _, err := copyIn(t, conn, `COPY items FROM STDIN (ON_ERROR ignore)`, "1\nx\n3\n"); err != nil {
		t.Fatalf("copy: got error %v, want none", err)
	}
	check.Values(t, conn, []int{1, 3}, `SELECT id FROM items ORDER BY id`)
}

// COPY to and from files and programs of the server is not for a cell's role.
func TestCopyFilesAreForbidden(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (id int)`)
	check.Fails(t, db, "42501", `COPY items FROM '/etc/hostname'`)
	check.Fails(t, db, "42501", `COPY items TO PROGRAM 'cat'`)
}
