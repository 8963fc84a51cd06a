package datatypes_test

import (
	"errors"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// A tsvector is a sorted list of words reduced to their stems, with places and weights.
func TestTSVector(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Value(t, db, `'brown':3 'dog':9 'fox':4 'jump':5 'lazi':8 'quick':2`,
		`SELECT to_tsvector('english', 'The quick brown fox jumps over the lazy dogs')::text`)
	check.Value(t, db, `'a':1A 'b':2`, `SELECT (setweight('a:1'::tsvector, 'A') || 'b:1'::tsvector)::text`)
	check.Value(t, db, []string{"a", "b"}, `SELECT tsvector_to_array('b a b'::tsvector)`)
}

// A tsquery combines words with and, or, not, follows and prefixes; websearch_to_tsquery never fails on a user's
// input.
func TestTSQuery(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	text := `to_tsvector('english', 'The quick brown fox jumps over the lazy dogs')`
	for query, want := range map[string]bool{
		`to_tsquery('english', 'dog & fox')`:                    true,
		`to_tsquery('english', 'cat | jumping')`:                true,
		`to_tsquery('english', 'dog & !fox')`:                   false,
		`to_tsquery('english', 'brown <-> fox')`:                true,
		`to_tsquery('english', 'quick <-> fox')`:                false,
		`to_tsquery('english', 'quick <2> fox')`:                true,
		`to_tsquery('english', 'la:*')`:                         true,
		`phraseto_tsquery('english', 'lazy dog')`:               true,
		`websearch_to_tsquery('english', '"lazy dog" -cat :(')`: true,
	} {
		check.Equal(t, query, check.One[bool](t, db, `SELECT `+text+` @@ `+query), want)
	}
	check.Fails(t, db, "42601", `SELECT to_tsquery('english', 'lazy dog')`)
}

// A generated tsvector column with a GIN index keeps a search up to date; ts_rank orders and ts_headline shows the
// hits.
func TestFullTextSearch(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (title text, body text, search tsvector GENERATED ALWAYS AS (
		setweight(to_tsvector('english', title), 'A') || setweight(to_tsvector('english', body), 'B')) STORED);
		CREATE INDEX ON items USING gin (search)`)
	check.Exec(t, db,
		`INSERT INTO items VALUES ('Databases', 'about elephants'), ('Elephants', 'about zoos'), ('Cats', 'purr')`)
	check.Values(t, db, []string{"Elephants", "Databases"}, `
		SELECT title FROM items, to_tsquery('english', 'elephant') q WHERE search @@ q ORDER BY ts_rank(search, q) DESC`)
	check.Exec(t, db, `UPDATE items SET body = 'hunt elephants' WHERE title = 'Cats'`)
	check.Value(t, db, "hunt <b>elephants</b>", `SELECT ts_headline('english', body, to_tsquery('english', 'elephant'))
		FROM items WHERE title = 'Cats'`)
}

// The trusted extension pg_trgm finds words that are spelled alike.
func TestTrigramSimilarity(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.NeedExtension(t, db, "pg_trgm")
	check.Exec(t, db, `CREATE TABLE items (name text); CREATE INDEX ON items USING gin (name gin_trgm_ops)`)
	check.Exec(t, db, `INSERT INTO items VALUES ('elephant'), ('telephone'), ('cat')`)
	check.Values(t, db, []string{"elephant", "telephone"},
		`SELECT name FROM items WHERE name % 'elefant' OR name % 'telefone' ORDER BY name`)
}

// hstore, a trusted extension too, is a map of text to text or NULL.
func TestHstore(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, pgcell.New(t).Config())
	check.NeedExtension(t, conn, "hstore")
	check.Value(t, conn, `"a"=>"1", "b"=>NULL`, `SELECT hstore(ARRAY['b', 'a'], ARRAY[NULL, '1'])::text`)
	check.Value(t, conn, "2", `SELECT ('a=>1'::hstore || 'a=>2'::hstore)->'a'`)
	check.Value(t, conn, false, `SELECT exist('a=>1'::hstore, 'z')`)
}

// xml checks that a document is well formed, and xpath and xmltable look into it, where the server was built with
// libxml.
func TestXML(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	_, err := db.Exec(t.Context(), `SELECT '<a/>'::xml`)
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && pgErr.Code == "0A000" {
		t.Skip("this PostgreSQL was built without libxml: " + pgErr.Message)
	}
	document := `<orders><order id="1"><item>pen</item></order><order id="2"><item>ink</item></order></orders>`
	check.Value(t, db, []string{"pen", "ink"}, `SELECT xpath('//item/text()', $1::text::xml)::text[]`, document)
	type row struct {
		ID   int
		Item string
	}
	check.Rows(t, db, []row{{1, "pen"}, {2, "ink"}}, `SELECT * FROM xmltable('/orders/order' PASSING ($1::text::xml)
		COLUMNS id int PATH '@id', item text PATH 'item')`, document)
	check.Value(t, db, `<user name="ann">x &lt; y</user>`,
		`SELECT xmlelement(name "user", xmlattributes('ann' AS name), 'x < y')::text`)
	check.Fails(t, db, "2200N", `SELECT '<a><b></a>'::xml`)
}
