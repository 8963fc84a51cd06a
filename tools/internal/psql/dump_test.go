package psql_test

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/golden"
	"github.com/pgcell/pgcell/tools/internal/migrations"
)

var (
	update = flag.Bool("update", false, "write testdata/dumps/server<major>.sql with the program of -pg_dump")
	pgDump = flag.String("pg_dump", "pg_dump", "the program that TestDumpsLoad and TestDumpAndLoad use")
)

// dumpRoles are those that testdata/dumps mention.
var dumpRoles = []string{"app_owner", "app_reader"}

// mustDumpDatabases gives a server with the roles of the dumps.
func mustDumpDatabases(t *testing.T) *databases {
	t.Helper()
	dbs := mustDatabases(t)
	for _, role := range dumpRoles {
		mustExec(t, dbs, "CREATE ROLE "+role)
	}
	return dbs
}

func mustExec(t *testing.T, dbs *databases, sql string) {
	t.Helper()
	if _, err := query(t, dbs.server.URL("postgres", "postgres"), sql); err != nil && err != pgx.ErrNoRows {
		t.Fatal(err)
	}
}

// mustLoad runs a file in a new database, whose name it gives.
func mustLoad(t *testing.T, dbs *databases, script migrations.Script) string {
	t.Helper()
	conn := dbs.mustNew(t)
	notes, err := run(t.Context(), conn, script)
	if err != nil {
		t.Fatal(err)
	}
	for _, note := range notes {
		t.Log(note)
	}
	name := conn.Config().Database
	conn.Close(t.Context())
	return name
}

func mustScript(t *testing.T, file string) migrations.Script {
	t.Helper()
	sql, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return migrations.Script{Name: file, SQL: string(sql)}
}

// mustDump dumps a database in plain format; it skips the test where there is no pg_dump that is new enough.
func mustDump(t *testing.T, dbs *databases, database string, args ...string) string {
	t.Helper()
	program, err := exec.LookPath(*pgDump)
	if err != nil {
		t.Skip(err)
	}
	cmd := exec.Command(program, append(args, "--dbname="+dbs.server.URL("postgres", database))...)
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if strings.Contains(said.String(), "server version mismatch") {
		t.Skip(said.String())
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	return string(out)
}

// catalogQuery describes all that a schema holds, without OIDs, a line an object.
const catalogQuery = `
WITH spaces AS (SELECT oid, nspname FROM pg_namespace WHERE nspname IN ('app', 'ext', 'public')),
lines (kind, line) AS (
  SELECT 'schema', concat_ws(' ', nspname, nspowner::regrole, nspacl, obj_description(oid)) FROM pg_namespace WHERE nspname IN ('app', 'ext')
  UNION ALL SELECT 'extension', concat_ws(' ', extname, extnamespace::regnamespace, obj_description(oid)) FROM pg_extension
  UNION ALL SELECT 'relation', concat_ws(' ', c.oid::regclass, relkind, relpersistence, relowner::regrole, relacl, relrowsecurity, reloptions,
    pg_get_expr(relpartbound, c.oid), obj_description(c.oid), CASE WHEN relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END)
    FROM pg_class c JOIN spaces s ON s.oid = relnamespace WHERE relkind NOT IN ('c', 't')
  UNION ALL SELECT 'index', pg_get_indexdef(indexrelid) FROM pg_index JOIN pg_class c ON c.oid = indexrelid JOIN spaces s ON s.oid = relnamespace
  UNION ALL SELECT 'column', concat_ws(' ', attrelid::regclass, attnum, quote_ident(attname), format_type(atttypid, atttypmod), attnotnull, attidentity,
    attgenerated, attacl, attcollation::regcollation, pg_get_expr(adbin, adrelid), col_description(attrelid, attnum))
    FROM pg_attribute JOIN pg_class c ON c.oid = attrelid JOIN spaces s ON s.oid = relnamespace
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum WHERE attnum > 0
  UNION ALL SELECT 'constraint', concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(o.oid)) FROM pg_constraint o
    JOIN spaces s ON s.oid = connamespace WHERE contype <> 'n' -- NOT NULL, which has a name from 18 on
  UNION ALL SELECT 'rule', pg_get_ruledef(r.oid) FROM pg_rewrite r JOIN pg_class c ON c.oid = ev_class JOIN spaces s ON s.oid = relnamespace
  UNION ALL SELECT 'trigger', pg_get_triggerdef(t.oid) FROM pg_trigger t WHERE NOT tgisinternal
  UNION ALL SELECT 'event trigger', concat_ws(' ', evtname, evtevent, evtenabled, evtfoid::regproc) FROM pg_event_trigger
  UNION ALL SELECT 'function', concat_ws(' ', p.oid::regprocedure, proowner::regrole, proacl, CASE WHEN prokind <> 'a' THEN pg_get_functiondef(p.oid) END)
    FROM pg_proc p JOIN spaces s ON s.oid = pronamespace
  UNION ALL SELECT 'operator', concat_ws(' ', o.oid::regoperator, oprcode) FROM pg_operator o JOIN spaces s ON s.oid = oprnamespace
  UNION ALL SELECT 'enum', concat_ws(' ', enumtypid::regtype, enumlabel) FROM pg_enum
  UNION ALL SELECT 'policy', concat_ws(' ', polname, polrelid::regclass, polcmd, polpermissive, polroles::regrole[], pg_get_expr(polqual, polrelid),
    pg_get_expr(polwithcheck, polrelid)) FROM pg_policy
  UNION ALL SELECT 'default right', concat_ws(' ', defaclrole::regrole, defaclnamespace::regnamespace, defaclobjtype, defaclacl) FROM pg_default_acl
  UNION ALL SELECT 'sequence', concat_ws(' ', schemaname, sequencename, start_value, increment_by, last_value) FROM pg_sequences
  UNION ALL SELECT 'statistics', pg_get_statisticsobjdef(oid) FROM pg_statistic_ext
  UNION ALL SELECT 'publication', concat_ws(' ', pubname, schemaname, tablename) FROM pg_publication_tables
  UNION ALL SELECT 'large object', concat_ws(' ', oid, lo_get(oid), obj_description(oid, 'pg_largeobject')) FROM pg_largeobject_metadata
  UNION ALL SELECT 'rows', concat_ws(' ', c.oid::regclass, query_to_xml('SELECT * FROM ' || c.oid::regclass || ' ORDER BY 1, 2', true, true, ''))
    FROM pg_class c JOIN spaces s ON s.oid = relnamespace WHERE relkind IN ('r', 'p') AND relname NOT IN ('journal', 'scratch')
  UNION ALL SELECT 'count', (SELECT count(*)::text FROM app.journal)
)
SELECT string_agg(kind || ' ' || line, E'\n' ORDER BY kind, line COLLATE "C") FROM lines`

// catalog describes a database.
func catalog(t *testing.T, dbs *databases, database string) string {
	t.Helper()
	got, err := query(t, dbs.server.URL("postgres", database), strings.Replace(catalogQuery, "WITH", "WITH RECURSIVE", 1))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// dumpHead matches what differs between two dumps of one schema: random keys, versions, and the names of NOT NULL
// constraints, which servers before 18 do not keep.
var dumpHead = regexp.MustCompile(`(?m)^(\\(un)?restrict .*|-- Dumped .*)\n| CONSTRAINT "?\w+"?( NOT NULL)`)

// ensureSame compares two databases by their catalogs and rows, and by pg_dump if there is one for this server.
func ensureSame(t *testing.T, dbs *databases, want, got string) {
	t.Helper()
	if diff := cmp.Diff(catalog(t, dbs, want), catalog(t, dbs, got)); diff != "" {
		t.Errorf("the database that the dump makes (-want +got):\n%s", diff)
	}
	t.Run("pg_dump", func(t *testing.T) {
		dump := func(name string) string {
			return dumpHead.ReplaceAllString(mustDump(t, dbs, name, "--schema-only"), "$3")
		}
		if diff := cmp.Diff(dump(want), dump(got)); diff != "" {
			t.Errorf("pg_dump --schema-only (-want +got):\n%s", diff)
		}
	})
}

// TestDumpsLoad loads dumps of servers of several versions, without an edit: 15 by pg_dump 15, 17 and 18 by pg_dump 18.
// -update writes that of the server in PGCELL_POSTGRES anew.
func TestDumpsLoad(t *testing.T) {
	t.Parallel()
	dbs := mustDumpDatabases(t)
	original := mustLoad(t, dbs, mustScript(t, "testdata/dumps/shop.sql"))
	if *update {
		sql := mustDump(t, dbs, original)
		if err := os.WriteFile(fmt.Sprintf("testdata/dumps/server%d.sql", dbs.server.Install().Version.Major), []byte(sql), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob("testdata/dumps/server*.sql")
	if err != nil || len(files) < 3 {
		t.Fatalf("dumps %q, %v, want three", files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			ensureSame(t, dbs, original, mustLoad(t, dbs, mustScript(t, file)))
		})
	}
}

// TestDumpAndLoad dumps in several ways with the machine's pg_dump, and loads that.
func TestDumpAndLoad(t *testing.T) {
	t.Parallel()
	dbs := mustDumpDatabases(t)
	script := mustScript(t, "testdata/dumps/shop.sql")
	script.SQL += "INSERT INTO note SELECT i, chr(i) || E'\\t\\\\' || repeat(chr(i + 1), i % 500), NULL, NULL FROM generate_series(200, 5000) i;\n"
	original := mustLoad(t, dbs, script)
	for _, args := range [][]string{nil, {"--inserts"}, {"--column-inserts", "--rows-per-insert=50"}, {"--encoding=UTF8", "--quote-all-identifiers"}} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			ensureSame(t, dbs, original, mustLoad(t, dbs, migrations.Script{Name: "dump.sql", SQL: mustDump(t, dbs, original, args...)}))
		})
	}
	for _, c := range []struct{ args, want string }{
		{"--clean", "; dump without --clean"},
		{"--clean --if-exists", "; dump without --clean"},                           // for the view that others depend on
		{"--create --clean", "dump a single database, by pg_dump without --create"}, // drops the original
	} {
		t.Run(c.args, func(t *testing.T) {
			dump := migrations.Script{Name: "dump.sql", SQL: mustDump(t, dbs, original, strings.Fields(c.args)...)}
			if _, err := run(t.Context(), dbs.mustNew(t), dump); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("a dump with %s: %v, want %q", c.args, err, c.want)
			}
		})
	}
	t.Run("--clean --if-exists without that view", func(t *testing.T) {
		script := mustScript(t, "testdata/dumps/shop.sql")
		script.SQL += "DROP VIEW buyer CASCADE;"
		original := mustLoad(t, dbs, script)
		ensureSame(t, dbs, original, mustLoad(t, dbs, migrations.Script{Name: "dump.sql", SQL: mustDump(t, dbs, original, "--clean", "--if-exists")}))
	})
}

// TestDumpAsMigration builds a golden cluster of a dump.
func TestDumpAsMigration(t *testing.T) {
	t.Parallel()
	install, err := binaries.Find(t.Context(), binaries.DefaultSearch(os.Getenv))
	if err != nil {
		t.Fatal(err)
	}
	r := golden.Recipe{Roles: dumpRoles, Migrations: []migrations.Script{mustScript(t, "testdata/dumps/server15.sql")}}
	if err := golden.BuildFile(t.Context(), filepath.Join(t.TempDir(), "x.pgcell"), install, r, golden.Options{}); err != nil {
		t.Fatal(err)
	}
}
