package datatypes_test

import (
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// A range over whole numbers is brought to the form [low,high); so (1,5] and [2,6) are one value.
func TestRangeCanonicalForm(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	for literal, want := range map[string]string{
		"(1,5]": "[2,6)", "[2,5]": "[2,6)", "[3,3)": "empty", "[3,3]": "[3,4)", "(,)": "(,)", "[,7]": "(,8)"} {
		check.Value(t, db, want, `SELECT $1::text::int4range::text`, literal)
	}
	// no canonical form: between two numerics lie others
	check.Value(t, db, "(1.5,2.5]", `SELECT '(1.5,2.5]'::numrange::text`)
	check.Fails(t, db, "22000", `SELECT '[5,1]'::int4range`)
}

// pgtype.Range carries both bounds, their kinds and emptiness.
func TestRangeInGo(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	want := pgtype.Range[int32]{Lower: 2, Upper: 6, LowerType: pgtype.Inclusive, UpperType: pgtype.Exclusive,
		Valid: true}
	check.Value(t, db, want, `SELECT $1::int4range`, want)
	check.Value(t, db, pgtype.Range[int32]{LowerType: pgtype.Empty, UpperType: pgtype.Empty, Valid: true},
		`SELECT 'empty'::int4range`)
	check.Value(t, db,
		pgtype.Range[int32]{Lower: 3, LowerType: pgtype.Inclusive, UpperType: pgtype.Unbounded, Valid: true},
		`SELECT '[3,)'::int4range`)
}

// Operators ask whether ranges touch, hold or precede one another, and join or cut them.
func TestRangeOperators(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	for expression, want := range map[string]string{
		`int4range(1,5) @> 3`:                         "true",
		`int4range(1,5) @> 5`:                         "false",
		`int4range(1,5) && int4range(4,9)`:            "true",
		`int4range(1,5) -|- int4range(5,9)`:           "true",
		`int4range(1,5) + int4range(3,9)`:             "[1,9)",
		`int4range(1,5) * int4range(3,9)`:             "[3,5)",
		`int4range(1,5) - int4range(3,9)`:             "[1,3)",
		`int4range(1,5) << int4range(7,9)`:            "true",
		`range_merge(int4range(1,2), int4range(8,9))`: "[1,9)",
		`upper_inf('[1,)'::int4range)`:                "true",
		`isempty(int4range(1,1))`:                     "true",
	} {
		check.Equal(t, expression, check.One[string](t, db, `SELECT (`+expression+`)::text`), want)
	}
	check.Fails(t, db, "22000", `SELECT int4range(1,2) + int4range(8,9)`) // the union would have a hole
}

// tstzrange with an upper bound left open is the usual shape of "valid from ... until further notice".
func TestTimeRange(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (price int, valid tstzrange)`)
	check.Exec(t, db,
		`INSERT INTO items VALUES (10, '[2024-01-01 00:00Z, 2024-07-01 00:00Z)'), (12, '[2024-07-01 00:00Z,)')`)
	at := func(month time.Month) time.Time { return time.Date(2024, month, 1, 0, 0, 0, 0, time.UTC) }
	check.Value(t, db, 10, `SELECT price FROM items WHERE valid @> $1::timestamptz`, at(6))
	check.Value(t, db, 12, `SELECT price FROM items WHERE valid @> $1::timestamptz`, at(7))
	check.Value(t, db, 31,
		`SELECT upper(d) - lower(d) FROM (VALUES (daterange('2024-01-01', '2024-01-31', '[]'))) v(d)`)
}

// A multirange is an ordered list of ranges that do not touch: parts that do are joined.
func TestMultirange(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Value(t, db, "{[1,6),[8,9)}", `SELECT '{[8,9), [1,4), [4,6)}'::int4multirange::text`)
	check.Value(t, db, "{[1,3),[7,9)}",
		`SELECT (int4multirange(int4range(1,9)) - int4multirange(int4range(3,7)))::text`)
	check.Value(t, db, "{[1,3),[5,7)}",
		`SELECT range_agg(r)::text FROM (VALUES (int4range(5,7)), (int4range(1,3))) v(r)`)
	check.Value(t, db, false, `SELECT '{[1,3),[5,7)}'::int4multirange @> 3`)

	got := check.One[pgtype.Multirange[pgtype.Range[int32]]](t, db, `SELECT '{[1,3),[5,7)}'::int4multirange`)
	half := func(low, high int32) pgtype.Range[int32] {
		return pgtype.Range[int32]{Lower: low, Upper: high, LowerType: pgtype.Inclusive, UpperType: pgtype.Exclusive,
			Valid: true}
	}
	check.Equal(t, "in Go", got, pgtype.Multirange[pgtype.Range[int32]]{half(1, 3), half(5, 7)})
}

// CREATE TYPE AS RANGE makes a range, and its multirange, over any type with an order.
func TestOwnRangeType(t *testing.T) {
	t.Parallel()
	cell := pgcell.New(t)
	conn := check.Conn(t, cell.Config())
	check.Exec(t, conn, `CREATE TYPE textrange AS RANGE (subtype = text, collation = "C")`)
	check.Value(t, conn, true, `SELECT textrange('a', 'm') @> 'hello'::text`)
	check.Value(t, conn, "{[a,c),[x,z)}", `SELECT textmultirange(textrange('x','z'), textrange('a','c'))::text`)

	// pgx learns a type that it does not know from the server.
	rangeType, err := conn.LoadType(t.Context(), "textrange")
	if err != nil {
		t.Fatalf("load type textrange: got error %v, want none", err)
	}
	conn.TypeMap().RegisterType(rangeType)
	want := pgtype.Range[string]{Lower: "a", Upper: "m", LowerType: pgtype.Inclusive, UpperType: pgtype.Exclusive,
		Valid: true}
	check.Value(t, conn, want, `SELECT $1::textrange`, want)
}
