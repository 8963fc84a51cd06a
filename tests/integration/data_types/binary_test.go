package datatypes_test

import (
	"crypto/sha256"
	"encoding/hex"
	"testing"

	"github.com/jackc/pgx/v5/pgtype"

	"github.com/pgcell/pgcell/tests/integration/internal/check"
	"github.com/pgcell/pgcell/tools/pgcell"
)

// bytea takes all 256 byte values, zero too, and gives them back unchanged.
func TestByteaHoldsEveryByte(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	want := make([]byte, 256)
	for i := range want {
		want[i] = byte(i)
	}
	check.Exec(t, db, `CREATE TABLE items (body bytea)`)
	check.Exec(t, db, `INSERT INTO items VALUES ($1)`, want)
	check.Value(t, db, want, `SELECT body FROM items`)
	check.Value(t, db, 200, `SELECT get_byte(body, 200) FROM items`)
	sum := sha256.Sum256(want)
	check.Value(t, db, hex.EncodeToString(sum[:]), `SELECT encode(sha256(body), 'hex') FROM items`)
}

// bytea prints as hex or in the older escape form; both read back to the same bytes.
func TestByteaTextForms(t *testing.T) {
	t.Parallel()
	conn := check.Conn(t, pgcell.New(t).Config())
	body := []byte{0, 255, 'A'}
	check.Value(t, conn, `\x00ff41`, `SELECT $1::bytea::text`, body)
	check.Exec(t, conn, `SET bytea_output = escape`)
	check.Value(t, conn, `\000\377A`, `SELECT $1::bytea::text`, body)
	check.Value(t, conn, true, `SELECT '\000\377A'::bytea = '\x00ff41'::bytea`)
	check.Fails(t, conn, "22023", `SELECT '\x0g'::bytea`)
}

// An empty bytea is not null: Go sees an empty slice for one and a nil slice for the other.
func TestByteaEmptyIsNotNull(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	empty := check.One[[]byte](t, db, `SELECT ''::bytea`)
	if empty == nil || len(empty) != 0 {
		t.Errorf("empty bytea: got %#v, want an empty slice that is not nil", empty)
	}
	if null := check.One[[]byte](t, db, `SELECT NULL::bytea`); null != nil {
		t.Errorf("null bytea: got %#v, want nil", null)
	}
}

// bit(n) wants exactly n bits where bit varying(n) takes up to n; both know the logical operators.
func TestBitStrings(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.Exec(t, db, `CREATE TABLE items (flags bit(4), mask bit varying(8))`)
	check.Exec(t, db, `INSERT INTO items VALUES (B'1010', B'10')`)
	check.Fails(t, db, "22026", `INSERT INTO items (flags) VALUES (B'101')`)
	check.Fails(t, db, "22001", `INSERT INTO items (mask) VALUES (B'111111111')`)
	for expression, want := range map[string]string{
		`flags & B'0110'`: "0010", `flags | B'0110'`: "1110", `flags # B'0110'`: "1100", `~flags`: "0101",
		`flags << 1`: "0100", `flags || mask`: "101010", `X'f0'`: "11110000", `5::bit(4)`: "0101",
	} {
		check.Equal(t, expression, check.One[string](t, db, `SELECT (`+expression+`)::text FROM items`), want)
	}
	got := check.One[pgtype.Bits](t, db, `SELECT flags FROM items`)
	check.Equal(t, "bits in Go", got, pgtype.Bits{Bytes: []byte{0b1010_0000}, Len: 4, Valid: true})
}

// uuid accepts several spellings, prints one, and travels as [16]byte; gen_random_uuid makes version 4.
func TestUUID(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	want := [16]byte{0xa0, 0xee, 0xbc, 0x99, 0x9c, 0x0b, 0x4e, 0xf8, 0xbb, 0x6d, 0x6b, 0xb9, 0xbd, 0x38, 0x0a, 0x11}
	for _, spelling := range []string{
		"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "A0EEBC999C0B4EF8BB6D6BB9BD380A11",
		"{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}"} {
		check.Value(t, db, want, `SELECT $1::text::uuid`, spelling)
	}
	check.Value(t, db, "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", `SELECT $1::uuid::text`, want)
	random := check.One[string](t, db, `SELECT gen_random_uuid()::text`)
	check.Equal(t, "version of "+random, random[14:15], "4")
	check.Fails(t, db, "22P02", `SELECT 'a0eebc99'::uuid`)
}

// uuidv7 (PostgreSQL 18) starts with the time, so that values made one after the other also sort that way.
func TestUUIDVersion7IsOrdered(t *testing.T) {
	t.Parallel()
	db := pgcell.New(t).Pool()
	check.NeedVersion(t, db, 18, "uuidv7()")
	check.Exec(t, db, `CREATE TABLE items (id uuid DEFAULT uuidv7() PRIMARY KEY, n int)`)
	check.Exec(t, db, `INSERT INTO items (n) SELECT generate_series(1, 100)`)
	check.Value(t, db, 0,
		`SELECT count(*) FROM (SELECT n, row_number() OVER (ORDER BY id) AS place FROM items) x WHERE n <> place`)
}
