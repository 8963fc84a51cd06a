package session_test

import (
	"testing"

	"github.com/pgcell/pgcell/tools/internal/session"
)

func TestHarmless(t *testing.T) {
	t.Parallel()
	type verdict struct {
		doubt string
		ddl   bool
	}
	for sql, want := range map[string]verdict{
		"":                                     {},
		"-- ping":                              {},
		"  -- first\n /* then */ ((select 1))": {},
		"insert into t values ('a; b')":        {},
		"UPDATE t SET x = 1; DELETE FROM t":    {},
		"SET TRANSACTION ISOLATION LEVEL SERIALIZABLE":     {},
		"set constraints all deferred":                     {},
		"CALL p()":                                         {},
		"DECLARE c CURSOR WITH HOLD FOR SELECT 1":          {},
		"SELECT 'SET app.tenant = 1; set_config'":          {},
		"SELECT $$; SET app.tenant = 1$$":                  {},
		"SELECT '\\'; SELECT 1":                            {},
		"TABLE pg_stat_activity":                           {},
		"SET search_path = x":                              {doubt: "a statement that begins with SET"},
		"SET LOCAL statement_timeout = '1s'":               {doubt: "a statement that begins with SET"},
		"BEGIN; SET LOCAL x.y = '1'; COMMIT":               {doubt: "a statement that begins with SET"},
		"-- a; b\nSET app.tenant = '7'":                    {doubt: "a statement that begins with SET"},
		"-- x\rSET a.b = 1":                                {doubt: "a statement that begins with SET"},
		"/* a /* b */ ; */ SET app.tenant = '7'":           {doubt: "a statement that begins with SET"},
		"SELECT 1 /* a /* b */ */; SET app.tenant = '7'":   {doubt: "a statement that begins with SET"},
		"RESET app.tenant":                                 {doubt: "a statement that begins with RESET"},
		"DO $$ BEGIN END $$":                               {doubt: "a statement that begins with DO"},
		"PREPARE p AS SELECT 1":                            {doubt: "a statement that begins with PREPARE"},
		`"select" 1`:                                       {doubt: `a statement that begins with "SELECT"`},
		"SELECT SET_CONFIG('a.b', '1', true)":              {doubt: "set_config"},
		`SELECT pg_catalog."set_config"('a.b', '1', true)`: {doubt: "set_config"},
		`SELECT U&"set\005Fconfig"('a.b', '1', true)`:      {doubt: "a name in Unicode escapes"},
		"SELECT setseed(0.5)":                              {doubt: "setseed"},
		"UPDATE pg_settings SET setting = 'UTC'":           {doubt: "pg_settings"},
		"SELECT query_to_xml('SELECT 1', true, true, '')":  {doubt: "query_to_xml"},
		"SELECT 'a":             {doubt: "a text that cannot be read"},
		"SELECT 1 /* a /* b */": {doubt: "a text that cannot be read"},
		`SELECT 1 \gset`:        {doubt: "a text that cannot be read"},
		"CREATE TABLE t (); INSERT INTO t DEFAULT VALUES":  {ddl: true},
		"/* x */ TRUNCATE t":                               {ddl: true},
		"CREATE TABLE IF NOT EXISTS t (x int)":             {},
		"alter table t\n  add column if  not exists x int": {},
		"DROP TABLE IF EXISTS t; DROP TABLE u":             {ddl: true},
		"CREATE TABLE if_not_exists (x int)":               {ddl: true},
	} {
		doubt, ddl := session.Harmless(sql)
		if got := (verdict{doubt, ddl}); got != want {
			t.Errorf("Harmless(%q) = %+v, want %+v", sql, got, want)
		}
	}
}

func TestHarmlessExpression(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "",
		"current_setting('app.tenant', true) = owner":                                  "",
		"'set_config'::text":                                                           "",
		"CREATE TRIGGER x AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()":         "",
		"CREATE RULE r AS ON DELETE TO t DO INSTEAD UPDATE t SET gone = true":          "",
		"set_config('a.b'::text, 'x'::text, false)":                                    "set_config",
		`pg_catalog."set_config"('a.b', 'x', false)`:                                   "set_config",
		"CREATE RULE r AS ON INSERT TO t DO ALSO UPDATE pg_settings SET setting = '7'": "pg_settings",
	} {
		if got := session.HarmlessExpression(text); got != want {
			t.Errorf("HarmlessExpression(%q) = %q, want %q", text, got, want)
		}
	}
}
