package datatypes_test

import (
	"encoding/json"
	"testing"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// json keeps the text as it came; jsonb keeps its meaning: blanks go, of a repeated key the last stays, keys are
// sorted.
func TestJSONKeepsTextJSONBMeaning(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	text := `{"b":1,  "a":2, "b":3}`
	check.Value(t, db, text, `SELECT $1::text::json::text`, text)
	check.Value(t, db, `{"a": 2, "b": 3}`, `SELECT $1::text::jsonb::text`, text)
	check.Value(t, db, "1.10", `SELECT '1.10'::jsonb::text`) // numbers keep their digits
	check.Fails(t, db, "22P02", `SELECT '{"a": }'::jsonb`)
}

type order struct {
	ID    int               `json:"id"`
	Lines []string          `json:"lines"`
	Extra map[string]any    `json:"extra,omitempty"`
	Note  *string           `json:"note"`
	Raw   json.RawMessage   `json:"raw,omitempty"`
	Tags  map[string]string `json:"tags,omitempty"`
}

// A Go struct goes in and comes back through encoding/json, so its tags are the column's shape.
func TestJSONBAsStruct(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE orders (body jsonb)`)
	want := order{ID: 7, Lines: []string{"a", `"b"`}, Extra: map[string]any{"paid": true, "sum": 1.5, "x": nil}}
	check.Exec(t, db, `INSERT INTO orders VALUES ($1)`, want)
	check.Value(t, db, want, `SELECT body FROM orders`)
	check.Value(t, db, 7, `SELECT (body->>'id')::int FROM orders`)
}

// JSON's null is a value of its own, other than SQL's NULL.
func TestJSONNullIsNotSQLNull(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (id int, body jsonb)`)
	check.Exec(t, db, `INSERT INTO items VALUES (1, 'null'), (2, NULL), (3, '{"a": null}'), (4, '{}')`)
	check.Values(t, db, []int{2}, `SELECT id FROM items WHERE body IS NULL`)
	check.Values(t, db, []int{1}, `SELECT id FROM items WHERE jsonb_typeof(body) = 'null'`)
	check.Values(t, db, []int{3}, `SELECT id FROM items WHERE body ? 'a'`)
	check.Values(t, db, []int{1, 2, 3, 4}, `SELECT id FROM items WHERE body->>'a' IS NULL ORDER BY id`)
}

// jsonb refuses the escape of a zero byte, which text cannot hold; json lets it in and fails when it is read as text.
func TestJSONZeroByte(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Fails(t, db, "22P05", `SELECT '"\u0000"'::jsonb`)
	check.Fails(t, db, "22P05", `SELECT '{"a":"\u0000"}'::json->>'a'`)
	check.Value(t, db, "🐘", `SELECT '"\ud83d\udc18"'::jsonb #>> '{}'`)
	check.Fails(t, db, "22P02", `SELECT '"\ud83d"'::jsonb`) // half of a surrogate pair
}

// The operators take a value apart: by key, by index, by path, as json or as text.
func TestJSONBOperators(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (body jsonb)`)
	check.Exec(t, db, `INSERT INTO items VALUES ('{"a": {"b": [10, 20, {"c": "x"}]}, "n": 1}')`)
	for expression, want := range map[string]string{
		`body->'a'->'b'->-1->>'c'`:                     "x",
		`body #>> '{a,b,1}'`:                           "20",
		`body['a']['b'][0]`:                            "10",
		`body @> '{"a": {"b": [20]}}'`:                 "true",
		`body ?| ARRAY['z', 'n']`:                      "true",
		`body ?& ARRAY['z', 'n']`:                      "false",
		`body - 'a'`:                                   `{"n": 1}`,
		`body #- '{a,b}'`:                              `{"a": {}, "n": 1}`,
		`(body || '{"n": 2}') - 'a'`:                   `{"n": 2}`,
		`jsonb_set(body, '{a,b,0}', '9')->'a'->'b'->0`: "9",
		`jsonb_array_length(body->'a'->'b')`:           "3",
	} {
		check.Equal(t, expression, check.One[string](t, db, `SELECT (`+expression+`)::text FROM items`), want)
	}
	check.Exec(t, db, `UPDATE items SET body['n'] = '5'`)
	check.Value(t, db, 5, `SELECT (body->'n')::int FROM items`)
}

// A jsonpath walks and filters; lax mode forgives what is missing, strict mode complains.
func TestJSONPath(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	body := `{"lines": [{"sku": "a", "n": 1}, {"sku": "b", "n": 5}, {"sku": "c", "n": 9}]}`
	check.Values(t, db, []string{"b", "c"},
		`SELECT x #>> '{}' FROM jsonb_path_query($1, '$.lines[*] ? (@.n > 2).sku') x`, body)
	check.Value(t, db, true, `SELECT $1::jsonb @? '$.lines[*] ? (@.sku == "a")'`, body)
	check.Value(t, db, "[1, 5, 9]", `SELECT jsonb_path_query_array($1, '$.lines.n')::text`, body)
	check.Value(t, db, 0, `SELECT count(*) FROM jsonb_path_query($1, 'lax $.nothing.here') x`, body)
	check.Fails(t, db, "2203A", `SELECT jsonb_path_query($1, 'strict $.nothing')`, body)
}

// Rows become JSON on the server, so that one query brings a tree; JSON becomes rows the other way.
func TestJSONFromAndToRows(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE users (id int, name text); CREATE TABLE orders (id int, user_id int)`)
	check.Exec(t, db, `INSERT INTO users VALUES (1, 'ann'), (2, 'bob'); INSERT INTO orders VALUES (10, 1), (11, 1)`)
	type tree struct {
		Name   string
		Orders []int
	}
	check.Values(t, db, []tree{{"ann", []int{10, 11}}, {"bob", []int{}}}, `
		SELECT jsonb_build_object('name', name, 'orders', coalesce(
		(SELECT jsonb_agg(o.id ORDER BY o.id) FROM orders o WHERE user_id = u.id), '[]'))
		FROM users u ORDER BY u.id`)
	type row struct {
		ID   int
		Name *string
	}
	cy := "cy"
	check.Rows(t, db, []row{{3, &cy}, {4, nil}},
		`SELECT * FROM jsonb_to_recordset('[{"id": 3, "name": "cy"}, {"id": 4, "more": 1}]') AS x(id int, name text)`)
}

// Containment compares scalars by value and arrays as sets; equality looks at order too.
func TestJSONBEquality(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Value(t, db, true, `SELECT '{"a":1,"b":2}'::jsonb = '{"b":2.0,"a":1}'::jsonb`)
	check.Value(t, db, false, `SELECT '[1,2]'::jsonb = '[2,1]'::jsonb`)
	check.Value(t, db, true, `SELECT '[1,2,2]'::jsonb <@ '[2,1]'::jsonb`)
	check.Fails(t, db, "42883", `SELECT '{}'::json = '{}'::json`) // json has no equality at all
}

// JSON_TABLE (PostgreSQL 17) lays a document out as a table.
func TestJSONTable(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.NeedVersion(t, db, 17, "JSON_TABLE")
	type row struct {
		Place int
		SKU   string
		Count *int
	}
	two := 2
	check.Rows(t, db, []row{{1, "a", &two}, {2, "b", nil}}, `SELECT * FROM JSON_TABLE(
		'[{"sku": "a", "n": 2}, {"sku": "b"}]'::jsonb, '$[*]'
		COLUMNS (place FOR ORDINALITY, sku text PATH '$.sku', n int PATH '$.n'))`)
}
