package datatypes_test

import (
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// A Go slice is a PostgreSQL array and comes back as one; nil is NULL and an empty slice is '{}'.
func TestArrayRoundTrip(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (id int PRIMARY KEY, tags text[])`)
	for id, tags := range [][]string{{"a", `quo"te`, `back\slash`, "NULL", "", "a,b", "{}"}, {}, nil} {
		check.Exec(t, db, `INSERT INTO items VALUES ($1, $2)`, id, tags)
		check.Value(t, db, tags, `SELECT tags FROM items WHERE id = $1`, id)
	}
	check.Values(t, db, []bool{false, false, true}, `SELECT tags IS NULL FROM items ORDER BY id`)
	check.Value(t, db, `{a,"quo\"te","back\\slash","NULL","","a,b","{}"}`,
		`SELECT tags::text FROM items WHERE id = 0`)
}

// An element may be NULL: a slice of pointers holds it, a slice of values cannot.
func TestArrayWithNullElements(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	one, three := 1, 3
	want := []*int{&one, nil, &three}
	check.Value(t, db, want, `SELECT $1::int[]`, want)
	check.Value(t, db, 2, `SELECT array_position($1::int[], NULL)`, want)
	var plain []int
	if err := db.QueryRow(t.Context(), `SELECT '{1,NULL}'::int[]`).Scan(&plain); err == nil {
		t.Errorf("scan of a null element into []int: got %v, want an error", plain)
	}
}

// Arrays have as many dimensions as needed, all rectangular; Go's nested slices are read and written as such.
func TestMultiDimensionalArray(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	matrix := [][]int32{{1, 2, 3}, {4, 5, 6}}
	check.Value(t, db, matrix, `SELECT $1::int[]`, matrix)
	check.Value(t, db, "[1:2][1:3]", `SELECT array_dims($1::int[])`, matrix)
	check.Value(t, db, 6, `SELECT ($1::int[])[2][3]`, matrix)
	check.Value(t, db, [][]int32{{2, 3}, {5, 6}}, `SELECT ($1::int[])[1:2][2:3]`, matrix)
	cube := [][][]string{{{"a"}, {"b"}}, {{"c"}, {"d"}}}
	check.Value(t, db, cube, `SELECT $1::text[]`, cube)
	check.Fails(t, db, "22P02", `SELECT '{{1,2},{3}}'::int[]`)
}

// An array may start at any index; pgtype.Array keeps the bounds that a Go slice does not know.
func TestArrayLowerBounds(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	got := check.One[pgtype.Array[int32]](t, db, `SELECT '[-1:1]={7,8,9}'::int[]`)
	check.Equal(t, "array", got, pgtype.Array[int32]{Elements: []int32{7, 8, 9}, Valid: true,
		Dims: []pgtype.ArrayDimension{{Length: 3, LowerBound: -1}}})
	check.Value(t, db, 8, `SELECT ('[-1:1]={7,8,9}'::int[])[0]`)
	check.Value[*string](t, db, nil, `SELECT ('{7,8,9}'::int[])[0]::text`) // outside of the bounds is NULL, no error
}

// = ANY(array) takes the place of an IN list with a number of parameters that changes.
func TestArrayAsParameter(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE users (id int, name text)`)
	check.Exec(t, db, `INSERT INTO users VALUES (1, 'ann'), (2, 'bob'), (3, 'cy')`)
	check.Values(t, db, []string{"ann", "cy"}, `SELECT name FROM users WHERE id = ANY($1) ORDER BY id`,
		[]int{1, 3, 9})
	check.Values[string](t, db, nil, `SELECT name FROM users WHERE id = ANY($1)`, []int{})
	check.Values(t, db, []string{"bob"}, `SELECT name FROM users WHERE id <> ALL($1)`, []int{1, 3})
}

// Operators and functions treat arrays as lists and as sets.
func TestArrayOperators(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	for expression, want := range map[string]string{
		`ARRAY[1,2] || 3`:                          "{1,2,3}",
		`ARRAY[1,2,3] @> ARRAY[3,1]`:               "true",
		`ARRAY[1,2] && ARRAY[2,9]`:                 "true",
		`array_remove(ARRAY[1,2,1], 1)`:            "{2}",
		`array_replace(ARRAY[1,2,1], 1, 5)`:        "{5,2,5}",
		`string_to_array('a,b,,c', ',', '')`:       "{a,b,NULL,c}",
		`array_to_string(ARRAY[1,NULL], ',', '-')`: "1,-",
		`cardinality('{{1,2},{3,4}}'::int[])`:      "4",
		`trim_array(ARRAY[1,2,3], 2)`:              "{1}",
		`(ARRAY[1,2,3,4])[2:3]`:                    "{2,3}",
		`ARRAY[1,2] < ARRAY[1,3]`:                  "true",
	} {
		check.Equal(t, expression, check.One[string](t, db, `SELECT (`+expression+`)::text`), want)
	}
}

// unnest turns arrays into rows, several side by side; WITH ORDINALITY numbers them.
func TestUnnestWithOrdinality(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	type row struct {
		Name  string
		Count *int
		Place int64
	}
	two := 2
	check.Rows(t, db, []row{{"a", &two, 1}, {"b", nil, 2}},
		`SELECT * FROM unnest($1::text[], $2::int[]) WITH ORDINALITY`, []string{"a", "b"}, []int{2})
}

// An array's element can be updated alone; assigning beyond the end fills the gap with NULL.
func TestArrayElementUpdate(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (n int[])`)
	check.Exec(t, db, `INSERT INTO items VALUES ('{1,2}')`)
	check.Exec(t, db, `UPDATE items SET n[2] = 20, n[4] = 40`)
	check.Value(t, db, "{1,20,NULL,40}", `SELECT n::text FROM items`)
}

// The same array comes through each of pgx's ways to run a query, in binary and in text form.
func TestArrayInEveryQueryMode(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	want := []string{`a "b" {c}`, `\`, "ü"}
	for _, mode := range []pgx.QueryExecMode{pgx.QueryExecModeCacheStatement, pgx.QueryExecModeDescribeExec,
		pgx.QueryExecModeExec, pgx.QueryExecModeSimpleProtocol} {
		check.Equal(t, fmt.Sprint(mode), check.One[[]string](t, db, `SELECT $1::text[]`, mode, want), want)
	}
}
