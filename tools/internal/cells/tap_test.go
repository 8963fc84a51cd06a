package cells

import (
	"context"
	"net"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgproto3"
	"github.com/jackc/pgx/v5/pgtype"
)

// sink is the server's end: it takes all.
type sink struct{ net.Conn }

func (sink) Write(p []byte) (int, error) { return len(p), nil }

func TestTapStatements(t *testing.T) {
	t.Parallel()
	for sql, want := range map[string]state{
		"SELECT 1":                                         {},
		"  -- first\n /* then */ (select 1)":               {},
		"insert into t values ('a; b')":                    {doubt: "a statement that begins with B"}, // a false alarm costs a connection
		"UPDATE t SET x = 1; DELETE FROM t":                {},
		"SET TRANSACTION ISOLATION LEVEL SERIALIZABLE":     {},
		"set constraints all deferred":                     {},
		"SET search_path = x":                              {doubt: "a statement that begins with SET"},
		"BEGIN; SET LOCAL x.y = '1'; COMMIT":               {doubt: "a statement that begins with SET"},
		"SELECT SET_CONFIG('a.b', '1', true)":              {doubt: "set_config"},
		"SELECT setseed(0.5)":                              {doubt: "setseed"},
		"SELECT 'now'::timestamptz":                        {doubt: "a literal such as 'now'"},
		"INSERT INTO t VALUES ('x', DATE ' Tomorrow ')":    {doubt: "a literal such as 'now'"},
		"SELECT $$10:00 today$$::timestamp":                {doubt: "a literal such as 'now'"},
		"UPDATE t SET s = 'x', at = now() WHERE s = 'y'":   {},
		"SELECT today, 1 FROM known WHERE s = 'x'":         {},
		"SELECT today FROM t WHERE id = $1 OR now = $2":    {},
		"INSERT INTO t VALUES ('x', now())":                {},
		"INSERT INTO t VALUES ('we need it now')":          {},
		"SELECT '10:00today'::timestamp":                   {doubt: "a literal such as 'now'"},
		"SELECT tstzrange('[NOW,)')":                       {doubt: "a literal such as 'now'"},
		"SELECT tstzrange '[2020-01-01T00:00:00Z,now]'":    {doubt: "a literal such as 'now'"},
		"SELECT daterange '[-infinity, today)'":            {doubt: "a literal such as 'now'"},
		`SELECT '{infinity,"now"}'::timestamptz[]`:         {doubt: "a literal such as 'now'"},
		"SELECT 'allballs today'::timestamp":               {doubt: "a literal such as 'now'"},
		"SELECT '10:00 pm  today'::timestamp":              {doubt: "a literal such as 'now'"},
		`INSERT INTO t VALUES ('{"s": "call me now"}')`:    {},
		"INSERT INTO t VALUES ('[1,2)', now()), ('(x', 1)": {},
		"UPDATE pg_settings SET setting = 'UTC'":           {doubt: "pg_settings"},
		"-- x\rSET a.b = 1":                                {doubt: "a statement that begins with SET"},
		"DO $$ BEGIN END $$":                               {doubt: "a statement that begins with DO"},
		"CREATE TABLE t (); INSERT INTO t DEFAULT VALUES":  {ddl: true},
		"/* x */ TRUNCATE t":                               {ddl: true},
		"CREATE TABLE IF NOT EXISTS t (x int)":             {},
		"alter table t\n  add column if  not exists x int": {},
		"DROP TABLE IF EXISTS t; DROP TABLE u":             {ddl: true},
		"CREATE TABLE if_not_exists (x int)":               {ddl: true},
		"CALL p()":                                         {},
		"DECLARE c CURSOR WITH HOLD FOR SELECT 1":          {},
		"SET LOCAL statement_timeout = '1s'":               {},
		"set lock_timeout to 5":                            {},
		"SET SESSION lock_timeouts = 5":                    {doubt: "a statement that begins with SET"},
		"PREPARE p AS SELECT 1":                            {doubt: "a statement that begins with PREPARE"},
		"":                                                 {},
		"select pg_backend_pid()":                          {},
	} {
		var tap tap
		tap.statement(sql)
		if tap.state != want {
			t.Errorf("after %q: %+v, want %+v", sql, tap.state, want)
		}
	}
}

// TestTapMessages sends messages whole and byte by byte.
func TestTapMessages(t *testing.T) {
	t.Parallel()
	startup := encode(t, &pgproto3.StartupMessage{ProtocolVersion: pgproto3.ProtocolVersion30, Parameters: map[string]string{"user": "x"}})
	for name, c := range map[string]struct {
		message pgproto3.FrontendMessage
		doubt   string
		ddl     bool
	}{
		"query":            {message: &pgproto3.Query{String: "SELECT 1"}},
		"query that sets":  {message: &pgproto3.Query{String: "SET a.b = 1"}, doubt: "a statement that begins with SET"},
		"pgx's own":        {message: &pgproto3.Parse{Name: "stmtcache_1", Query: "SELECT 1"}},
		"unnamed":          {message: &pgproto3.Parse{Query: "DROP TABLE t"}, ddl: true},
		"named":            {message: &pgproto3.Parse{Name: "mine", Query: "SELECT 1"}, doubt: "a prepared statement"},
		"function call":    {message: &pgproto3.FunctionCall{Function: 1}, doubt: "a function call by the protocol"},
		"data like a SET":  {message: &pgproto3.CopyData{Data: []byte("Q\x00\x00\x00\x09SET x")}},
		"execute and sync": {message: &pgproto3.Execute{}},
	} {
		text := append(encode(t, c.message), encode(t, &pgproto3.Sync{})...)
		whole := &tap{Conn: sink{}}
		whole.Write(append(append([]byte(nil), startup...), text...))
		if got := whole.seen(); got != (state{c.doubt, c.ddl}) {
			t.Errorf("%s: %+v, want doubt %q, ddl %v", name, got, c.doubt, c.ddl)
		}
		slow := &tap{Conn: sink{}}
		for _, b := range append(append([]byte(nil), startup...), text...) {
			slow.Write([]byte{b})
		}
		if got := slow.seen(); c.doubt != "" && got.doubt == "" || c.ddl && got == (state{}) {
			t.Errorf("%s, byte by byte: %+v, want a doubt", name, got)
		}
	}
}

func encode(t *testing.T, m pgproto3.FrontendMessage) []byte {
	t.Helper()
	b, err := m.Encode(nil)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestClosedConn uses what is left of a connection whose session has gone on.
func TestClosedConn(t *testing.T) {
	t.Parallel()
	conn := closedConn(func() *pgx.ConnConfig { return mustConfig(t) })
	if _, err := conn.Exec(context.Background(), "SELECT 1"); err == nil || err.Error() != "conn closed" {
		t.Errorf("Exec = %v, want conn closed", err)
	}
}

func mustConfig(t *testing.T) *pgx.ConnConfig {
	t.Helper()
	config, err := pgx.ParseConfig("postgres://pgcell@/x?host=/tmp")
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// TestPristine changes a type map in the ways that there are.
func TestPristine(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*pgtype.Map){
		"":             func(*pgtype.Map) {},
		"type":         func(m *pgtype.Map) { m.RegisterType(&pgtype.Type{Name: "mine", OID: 99999, Codec: pgtype.TextCodec{}}) },
		"default type": func(m *pgtype.Map) { m.RegisterDefaultPgType(t, "text") },
		"one more plan": func(m *pgtype.Map) {
			m.TryWrapScanPlanFuncs = append(m.TryWrapScanPlanFuncs, m.TryWrapScanPlanFuncs[0])
		},
		"another plan": func(m *pgtype.Map) {
			m.TryWrapEncodePlanFuncs[0] = func(any) (pgtype.WrappedEncodePlanNextSetter, any, bool) { return nil, nil, false }
		},
	} {
		m := pgtype.NewMap()
		change(m)
		if got, want := pristine(m), name == ""; got != want {
			t.Errorf("pristine = %v after a change of %q, want %v", got, name, want)
		}
	}
}
