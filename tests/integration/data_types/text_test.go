package datatypes_test

import (
	"strings"
	"testing"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// varchar(n) counts characters, not bytes, and refuses a longer value, but an explicit cast cuts it silently.
func TestVarcharLimit(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (name varchar(3))`)
	// trailing blanks beyond the limit are cut, as SQL demands
	check.Exec(t, db, `INSERT INTO items VALUES ('äöü'), ('ab   ')`)
	check.Values(t, db, []string{"ab ", "äöü"}, `SELECT name FROM items ORDER BY length(trim(name))`)
	check.Fails(t, db, "22001", `INSERT INTO items VALUES ('abcd')`)
	check.Value(t, db, "abc", `SELECT 'abcd'::varchar(3)`)
}

// char(n) pads with blanks that its comparisons and length ignore: a surprise for code that reads the column.
func TestCharPadding(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (code char(5))`)
	check.Exec(t, db, `INSERT INTO items VALUES ('ab')`)
	check.Value(t, db, "ab   ", `SELECT code FROM items`)
	check.Value(t, db, true, `SELECT code = 'ab' FROM items`)
	check.Value(t, db, 2, `SELECT length(code) FROM items`)
	check.Value(t, db, "ab", `SELECT code::text FROM items`)
}

// Text is UTF-8 with any code point but zero; characters, bytes and UTF-16 units are three different counts.
func TestTextIsUnicode(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	want := "naïve 日本語 🐘 \u0301 \U0010FFFF"
	check.Value(t, db, want, `SELECT $1::text`, want)
	check.Value(t, db, 1, `SELECT length('🐘')`)
	check.Value(t, db, 4, `SELECT octet_length('🐘')`)
	check.Value(t, db, "🐘", `SELECT U&'\+01F418'`)
	check.Value(t, db, "é", `SELECT normalize(U&'e\0301', NFC)`)
}

// A zero byte and bytes that are no UTF-8 are refused: such data belongs into bytea.
func TestTextRefusesWhatIsNoText(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Fails(t, db, "22021", `SELECT $1::text`, "a\x00b")
	check.Fails(t, db, "22021", `SELECT $1::text`, "a\xff")
	check.Fails(t, db, "22021", `SELECT convert_from('\xff', 'UTF8')`)
}

// A long text is compressed and stored out of line (TOAST), which no reader notices.
func TestLongText(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (body text)`)
	want := strings.Repeat("all work and no play ", 100_000)
	check.Exec(t, db, `INSERT INTO items VALUES ($1)`, want)
	if got := check.One[string](t, db, `SELECT body FROM items`); got != want {
		t.Errorf("body: got %d bytes, want the %d that were inserted", len(got), len(want))
	}
	if got := check.One[int](t, db, `SELECT pg_column_size(body) FROM items`); got > len(want)/10 {
		t.Errorf("stored size: got %d bytes, want at most a tenth of %d", got, len(want))
	}
}

// Under collation C text sorts by its bytes: capitals before small letters, letters with accents last.
func TestCollationC(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (name text COLLATE "C")`)
	check.Exec(t, db, `INSERT INTO items VALUES ('b'), ('é'), ('B'), ('a'), ('_'), ('1')`)
	check.Values(t, db, []string{"1", "B", "_", "a", "b", "é"}, `SELECT name FROM items ORDER BY name`)
}

// A nondeterministic ICU collation compares without regard to case, in unique constraints as well.
func TestNondeterministicCollation(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	if check.One[int](t, db, `SELECT count(*) FROM pg_collation WHERE collprovider = 'i'`) == 0 {
		t.Skip("this PostgreSQL was built without ICU")
	}
	check.Exec(t, db, `CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`)
	check.Exec(t, db, `CREATE TABLE users (email text COLLATE nocase UNIQUE)`)
	check.Exec(t, db, `INSERT INTO users VALUES ('Ann@example.com')`)
	check.Fails(t, db, "23505", `INSERT INTO users VALUES ('ann@EXAMPLE.com')`)
	check.Value(t, db, "Ann@example.com", `SELECT email FROM users WHERE email = 'ANN@example.com'`)
}

// citext, a trusted extension that a cell's owner may create, is text that compares without case.
func TestCitext(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.NeedExtension(t, db, "citext")
	check.Exec(t, db, `CREATE TABLE users (name citext PRIMARY KEY)`)
	check.Exec(t, db, `INSERT INTO users VALUES ('Ann')`)
	check.Fails(t, db, "23505", `INSERT INTO users VALUES ('ANN')`)
	check.Value(t, db, "Ann", `SELECT name::text FROM users WHERE name = 'ann'`)
}

// LIKE, SIMILAR TO and POSIX expressions are three pattern languages; in LIKE the backslash takes the meaning off
// % and _.
func TestPatternMatching(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	for expression, want := range map[string]bool{
		`'100%' LIKE '100\%'`:                true,
		`'1000' LIKE '100\%'`:                false,
		`'a_c' LIKE 'a_c'`:                   true,
		`'ABC' ILIKE 'a%'`:                   true,
		`'abab' SIMILAR TO '(ab)+'`:          true,
		`'2024-02-30' ~ '^\d{4}-\d\d-\d\d$'`: true,
		`'Abc' ~* '^aBC$'`:                   true,
		`starts_with('postgres', 'post')`:    true,
	} {
		check.Equal(t, expression, check.One[bool](t, db, `SELECT `+expression), want)
	}
	check.Value(t, db, []string{"k", "v"}, `SELECT regexp_match('k=v', '(\w)=(\w)')`)
}

// An identifier's type, name, holds 63 bytes; a longer one is cut, with a notice and without an error.
func TestNameIsCutAt63Bytes(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	long := strings.Repeat("x", 70)
	check.Exec(t, db, `CREATE TABLE `+long+` (id int)`)
	check.Value(t, db, long[:63], `SELECT relname::text FROM pg_class WHERE relname LIKE 'xxx%'`)
}

// format() quotes identifiers (%I) and literals (%L), which makes dynamic SQL safe to build on the server.
func TestFormatQuotes(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Value(t, db, `DELETE FROM "Or""ders" WHERE name = E'O''Neil\\n'`,
		`SELECT format('DELETE FROM %I WHERE name = %L', 'Or"ders', 'O''Neil\n')`)
	check.Value(t, db, "NULL", `SELECT format('%L', NULL)`)
}
