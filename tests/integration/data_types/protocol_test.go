package datatypes_test

import (
	"database/sql"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// samples holds a literal of every family of types in the spelling that PostgreSQL itself prints in zone UTC.
var samples = []struct{ sqlType, literal string }{
	{"boolean", "t"}, {"smallint", "-7"}, {"integer", "42"}, {"bigint", "9007199254740993"},
	{"numeric", "12345678901234567890.0987654321"}, {"real", "0.25"}, {"double precision", "0.1"},
	{"text", "naïve 'quoted'"}, {"varchar(9)", "short"}, {"char(3)", "ab "}, {"bytea", `\x00ff`},
	{"bit(3)", "101"}, {"bit varying", "1"}, {"uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"},
	{"date", "2024-02-29"}, {"time", "12:34:56.789"}, {"timestamp", "2024-02-29 12:34:56"},
	{"timestamptz", "2024-02-29 12:34:56+00"}, {"interval", "1 mon 2 days 03:00:00"},
	{"int[]", "{1,2,NULL}"}, {"text[]", `{{a,b},{"c d",e}}`}, {"int4range", "[1,5)"},
	{"int4multirange", "{[1,3),[5,7)}"},
	{"json", `{"a": [1, null]}`}, {"jsonb", `{"a": [1, null]}`}, {"jsonpath", `$."a"[*]`},
	{"inet", "10.0.0.1/8"}, {"cidr", "10.0.0.0/8"}, {"macaddr", "08:00:2b:01:02:03"},
	{"point", "(1,2)"}, {"line", "{1,-1,0}"}, {"lseg", "[(0,0),(1,1)]"}, {"box", "(1,1),(0,0)"},
	{"path", "((0,0),(1,1))"}, {"polygon", "((0,0),(1,1),(1,0))"}, {"circle", "<(1,2),3>"},
	{"tsvector", "'cat':1 'dog':2"}, {"tsquery", "'cat' & 'dog'"}, {"oid", "16384"}, {"regtype", "integer"},
	{"pg_lsn", "16/B374D848"}, {"xid8", "7"}, {"money", "$1.50"}, {"name", "pg_class"}, {"tid", "(0,1)"},
}

// Every family of types survives a table and prints as it was written, with values bound as parameters.
func TestEveryTypePrintsAsWritten(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, pgcell.New(t).Config())
	check.Exec(t, conn, `SET TimeZone = 'UTC'; SET lc_monetary = 'C'`)
	for i, sample := range samples {
		table := fmt.Sprintf("items_%d", i)
		check.Exec(t, conn, `CREATE TABLE `+table+` (v `+sample.sqlType+`)`)
		check.Exec(t, conn, `INSERT INTO `+table+` VALUES ($1::text::`+sample.sqlType+`)`, sample.literal)
		// format() and not a cast: a cast of char(n) to text drops the padding.
		check.Value(t, conn, sample.literal, `SELECT format('%s', v) FROM `+table)
	}
}

// What pgx decodes from the binary form equals what it decodes from the text form.
func TestBinaryAndTextFormatsAgree(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, pgcell.New(t).Config())
	check.Exec(t, conn, `SET TimeZone = 'UTC'`)
	// pgx asks for these as text of its own accord: it has no decoder for their binary form.
	textAlone := []string{"jsonpath", "tsquery", "regtype", "pg_lsn", "money"}
	for _, sample := range samples {
		if slices.Contains(textAlone, sample.sqlType) {
			continue
		}
		statement := `SELECT $1::text::` + sample.sqlType
		text := decode(t, conn, statement, sample.literal, pgx.TextFormatCode)
		binary := decode(t, conn, statement, sample.literal, pgx.BinaryFormatCode)
		check.Equal(t, sample.sqlType+" in binary and in text", binary, text)
	}
}

// decode runs statement with its result in one wire format and shows the Go value that comes of it.
func decode(t *testing.T, conn *pgx.Conn, statement, literal string, format int16) string {
	t.Helper()
	rows, err := conn.Query(t.Context(), statement, pgx.QueryResultFormats{format}, literal)
	if err != nil {
		t.Fatalf("query %q: got error %v, want none", statement, err)
	}
	defer rows.Close()
	if !rows.Next() {
		t.Fatalf("query %q: got no row (%v), want 1", statement, rows.Err())
	}
	values, err := rows.Values()
	if err != nil {
		t.Fatalf("values of %q: got error %v, want none", statement, err)
	}
	if at, ok := values[0].(time.Time); ok {
		return at.UTC().String() // the text form carries an offset, the binary form none
	}
	return fmt.Sprintf("%T %v", values[0], values[0])
}

// Config.Pool adjusts a cell's pool before it opens: here to the simple protocol, as a proxy without prepared
// statements needs.
func TestSimpleProtocolThroughThePool(t *testing.T) {
	t.Parallel()
	cell := pgcell.New(t, pgcell.Config{Pool: func(config *pgxpool.Config) {
		config.ConnConfig.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	}})
	db := cell.Pool()
	check.Value(t, db, `it's "a" \ test`, `SELECT $1::text`, `it's "a" \ test`)
	check.Value(t, db, []byte{0, 255}, `SELECT $1::bytea`, []byte{0, 255})
	check.Value(t, db, []int32{1, 2}, `SELECT $1::int[]`, []int32{1, 2})
	check.Value(t, db, 0, `SELECT count(*) FROM pg_prepared_statements`)
}

// database/sql works on a cell as well: DB() is a *sql.DB over the same driver.
func TestDatabaseSQL(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).DB()
	mustExec := func(statement string, args ...any) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), statement, args...); err != nil {
			t.Fatalf("exec %q: got error %v, want none", statement, err)
		}
	}
	at := time.Date(2024, 2, 29, 12, 0, 0, 0, time.UTC)
	mustExec(`CREATE TABLE items (id int, name text, at timestamptz, body bytea)`)
	mustExec(`INSERT INTO items VALUES ($1, $2, $3, $4), (2, NULL, NULL, NULL)`, 1, "ann", at, []byte("x"))

	type row struct {
		ID   int
		Name sql.NullString
		At   sql.NullTime
		Body []byte
	}
	rows, err := db.QueryContext(t.Context(), `SELECT * FROM items ORDER BY id`)
	if err != nil {
		t.Fatalf("query: got error %v, want none", err)
	}
	defer rows.Close()
	var got []row
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.ID, &r.Name, &r.At, &r.Body); err != nil {
			t.Fatalf("scan: got error %v, want none", err)
		}
		r.At.Time = r.At.Time.UTC()
		got = append(got, r)
	}
	check.Equal(t, "rows", got, []row{
		{1, sql.NullString{String: "ann", Valid: true}, sql.NullTime{Time: at, Valid: true}, []byte("x")},
		{ID: 2, At: sql.NullTime{Time: time.Time{}.UTC()}}})
}
