// Package datatypes_test takes every family of PostgreSQL's types through pgx and back: their limits, their
// special values, and what a Go program sees of them. Each test has an empty database of its own, so all may call
// their table "items".
package datatypes_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// The three integer types hold exactly the range of Go's int16, int32 and int64; one more is an error, not a
// wrap-around.
func TestIntegerLimits(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (small smallint, normal integer, big bigint)`)
	check.Exec(t, db, `INSERT INTO items VALUES ($1, $2, $3), ($4, $5, $6)`,
		math.MinInt16, math.MinInt32, math.MinInt64, math.MaxInt16, math.MaxInt32, math.MaxInt64)

	type row struct {
		Small  int16
		Normal int32
		Big    int64
	}
	check.Equal(t, "rows", check.Structs[row](t, db, `SELECT * FROM items ORDER BY big`), []row{
		{math.MinInt16, math.MinInt32, math.MinInt64}, {math.MaxInt16, math.MaxInt32, math.MaxInt64}})
	for column, beyond := range map[string]string{
		"small": "32768", "normal": "2147483648", "big": "9223372036854775808"} {
		check.Fails(t, db, "22003", fmt.Sprintf(`INSERT INTO items (%s) VALUES (%s)`, column, beyond))
	}
}

// Integer division truncates towards zero and the remainder takes the dividend's sign, as in Go; division by zero
// is an error.
func TestIntegerDivision(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Value(t, db, -7/2, `SELECT -7 / 2`)
	check.Value(t, db, -7%2, `SELECT -7 % 2`)
	check.Equal(t, "div(-7, 2)", check.One[int](t, db, `SELECT div(-7, 2)::int`), -3)
	check.Fails(t, db, "22012", `SELECT 1 / 0`)
}

// numeric(6,2) rounds to its scale, half away from zero, and refuses what needs more digits before the point.
func TestNumericPrecisionAndScale(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (price numeric(6,2))`)
	check.Exec(t, db, `INSERT INTO items VALUES (1.005), (2.675), (-2.675), (9999.994)`)
	check.Values(t, db, []string{"-2.68", "1.01", "2.68", "9999.99"},
		`SELECT price::text FROM items ORDER BY items.price`)
	check.Fails(t, db, "22003", `INSERT INTO items VALUES (9999.995)`)
}

// numeric without limits keeps every digit, 131072 of them before the point; a Go program reads them through a
// string.
func TestNumericKeepsEveryDigit(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Value(t, db, "1606938044258990275541962092341162602522202993782792835301376",
		`SELECT round(2::numeric ^ 200)::text`)
	check.Value(t, db, 131072, `SELECT length(('1' || repeat('0', 131071))::numeric::text)`)
	check.Fails(t, db, "22003", `SELECT ('1' || repeat('0', 131072))::numeric`)
	check.Value(t, db, "0.3", `SELECT (0.1 + 0.2)::text`)
}

// numeric knows NaN, which equals itself and sorts last, and since PostgreSQL 14 both infinities; pgtype.Numeric
// carries all.
func TestNumericNaNAndInfinity(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (n numeric)`)
	for _, n := range []pgtype.Numeric{
		{NaN: true, Valid: true},
		{InfinityModifier: pgtype.Infinity, Valid: true},
		{InfinityModifier: pgtype.NegativeInfinity, Valid: true},
	} {
		check.Exec(t, db, `INSERT INTO items VALUES ($1), (0)`, n)
	}
	check.Values(t, db, []string{"-Infinity", "0", "Infinity", "NaN"},
		`SELECT DISTINCT n::text COLLATE "C" FROM items ORDER BY 1`)
	last := check.One[pgtype.Numeric](t, db, `SELECT max(n) FROM items`)
	check.Equal(t, "max is NaN", last.NaN, true)
	check.Value(t, db, true, `SELECT 'NaN'::numeric = 'NaN'::numeric`)
	check.Value(t, db, "NaN", `SELECT ('inf'::numeric - 'inf'::numeric)::text`)
}

// A negative scale (PostgreSQL 15) rounds to the left of the point: numeric(3,-3) holds thousands.
func TestNumericNegativeScale(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.NeedVersion(t, db, 15, "a numeric with negative scale")
	check.Exec(t, db, `CREATE TABLE items (population numeric(3,-3))`)
	check.Exec(t, db, `INSERT INTO items VALUES (12345), (999499)`)
	check.Values(t, db, []int{12000, 999000}, `SELECT population::int FROM items ORDER BY 1`)
	check.Fails(t, db, "22003", `INSERT INTO items VALUES (999500)`)
}

// Floats are IEEE 754: every float64 survives the round trip bit by bit, but numbers like 0.1 are only near.
func TestFloatRoundTrip(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	for _, want := range []float64{0, 0.1, 1.0 / 3, math.Pi, math.MaxFloat64, math.SmallestNonzeroFloat64,
		math.Inf(1), math.Inf(-1)} {
		check.Equal(t, fmt.Sprintf("binary %v", want), check.One[float64](t, db, `SELECT $1::float8`, want), want)
		text := check.One[string](t, db, `SELECT $1::float8::text`, want)
		check.Value(t, db, want, `SELECT $1::text::float8`, text)
	}
	check.Value(t, db, 0.30000000000000004, `SELECT 0.1::float8 + 0.2::float8`)
	check.Value(t, db, float32(16777216), `SELECT 16777217::real`)
	check.Fails(t, db, "22003", `SELECT 1e39::real`)
}

// Unlike IEEE 754 and Go, PostgreSQL says that NaN equals itself and is greater than all: an index needs a total
// order.
func TestFloatNaNHasAnOrder(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (n float8 UNIQUE)`)
	check.Exec(t, db, `INSERT INTO items VALUES ('NaN'), ('Infinity'), (1)`)
	check.Fails(t, db, "23505", `INSERT INTO items VALUES ('NaN')`)
	got := check.Column[float64](t, db, `SELECT n FROM items ORDER BY n DESC`)
	if len(got) != 3 || !math.IsNaN(got[0]) || !math.IsInf(got[1], 1) {
		t.Errorf("descending order: got %v, want [NaN +Inf 1]", got)
	}
	check.Equal(t, "Go's NaN comes through", check.One[bool](t, db, `SELECT $1::float8 = 'NaN'`, math.NaN()), true)
}

// numeric rounds half away from zero, float8 half to even: the same literal gives two answers.
func TestRoundingDiffersByType(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Values(t, db, []int{1, 2, 3}, `SELECT round(x::numeric)::int FROM unnest('{0.5,1.5,2.5}'::text[]) x`)
	check.Values(t, db, []int{0, 2, 2}, `SELECT round(x::float8)::int FROM unnest('{0.5,1.5,2.5}'::text[]) x`)
}

// money is an integer count of cents that reads and prints by the locale of lc_monetary.
func TestMoney(t *testing.T) {
	t.Parallel()
	cell := pgcell.New(t)
	conn := check.Conn(t, cell.Config())
	check.Exec(t, conn, `SET lc_monetary = 'C'`)
	check.Exec(t, conn, `CREATE TABLE items (price money)`)
	check.Exec(t, conn, `INSERT INTO items VALUES ('$1,234.56'), ('-0.01'), (92233720368547758.07::numeric::money)`)
	check.Values(t, conn, []string{"-$0.01", "$1,234.56", "$92,233,720,368,547,758.07"},
		`SELECT price::text FROM items ORDER BY items.price`)
	check.Value(t, conn, "1234.55", `SELECT sum(price)::numeric::text FROM items WHERE price < '2000'`)
	check.Fails(t, conn, "22003", `INSERT INTO items VALUES ('92233720368547758.08')`)
}

// serial is an integer with a sequence behind it that starts at 1 in every cell, whatever other cells have drawn.
func TestSerialColumns(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (id bigserial PRIMARY KEY, small smallserial, name text)`)
	check.Values(t, db, []int64{1, 2}, `INSERT INTO items (name) VALUES ('a'), ('b') RETURNING id`)
	check.Value(t, db, "public.items_id_seq", `SELECT pg_get_serial_sequence('items', 'id')`)
	check.Exec(t, db, `ALTER SEQUENCE items_small_seq RESTART WITH 32767`)
	check.Exec(t, db, `INSERT INTO items (name) VALUES ('last small one')`)
	check.Fails(t, db, "2200H", `INSERT INTO items (name) VALUES ('one too many')`)
}
