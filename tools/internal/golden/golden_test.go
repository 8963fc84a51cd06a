package golden_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/klauspost/compress/zstd"

	"github.com/pgcell/pgcell/tools/internal/archive"
	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/golden"
	"github.com/pgcell/pgcell/tools/internal/keeper"
	"github.com/pgcell/pgcell/tools/internal/postgres"
	"github.com/pgcell/pgcell/tools/internal/storage"
)

func mustInstall(t testing.TB) binaries.Install {
	t.Helper()
	install, err := binaries.Find(t.Context(), binaries.DefaultSearch(os.Getenv))
	if err != nil {
		t.Fatal(err)
	}
	return install
}

// mustBuild builds a golden cluster into a file.
func mustBuild(t *testing.T, r golden.Recipe) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.pgcell")
	if err := golden.BuildFile(t.Context(), path, mustInstall(t), r, golden.Options{}); err != nil {
		t.Fatal(err)
	}
	return path
}

// mustServe starts a server on a golden cluster.
func mustServe(t *testing.T, path string) *postgres.Server {
	t.Helper()
	s, err := postgres.Start(t.Context(), postgres.Config{Install: mustInstall(t), Source: golden.Source(path)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// query gives a single text value.
func query(t testing.TB, url, sql string) (string, error) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		return "", err
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	var got string
	err = conn.QueryRow(t.Context(), sql).Scan(&got)
	return got, err
}

var full = golden.Recipe{
	Settings:   map[string]string{"work_mem": "6MB"},
	Roles:      []string{"app_reader", "app_writer NOINHERIT", "pgcell CREATEROLE"},
	Extensions: []string{"hstore"},
	Migrations: []golden.Script{
		{Name: "1.sql", SQL: "CREATE TABLE t (id int PRIMARY KEY, h hstore);\nCREATE INDEX CONCURRENTLY ON t (h);"},
		{Name: "2.sql", SQL: "BEGIN; SET search_path = nowhere; COMMIT;\nCOPY public.t (id) FROM stdin;\n1\n2\n\\.\n"},
	},
	Migrator: &golden.Migrator{Key: "1", Run: func(ctx context.Context, url string) error {
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return err
		}
		defer conn.Close(ctx)
		_, err = conn.Exec(ctx, "INSERT INTO t VALUES (3)")
		return err
	}},
	Seeds: []golden.Script{{Name: "seed.sql", SQL: "INSERT INTO t VALUES (4, 'a=>1'); GRANT SELECT ON t TO app_reader"}},
}

func TestBuildKeepsAll(t *testing.T) {
	t.Parallel()
	path := mustBuild(t, full)
	m, err := golden.ReadManifest(path)
	if err != nil {
		t.Fatal(err)
	}
	install := mustInstall(t)
	if m.Template != full.TemplateName(install) || m.Postgres != install.Version || m.BinDir != install.BinDir || m.Settings["work_mem"] != "6MB" {
		t.Errorf("manifest = %+v", m)
	}
	s := mustServe(t, path)
	_, err = query(t, s.URL(golden.Role, m.Template), "SELECT 'in'")
	if err == nil || !strings.Contains(err.Error(), "not currently accepting connections") {
		t.Errorf("connecting to the sealed template = %v, want a refusal", err)
	}
	admin := s.URL("postgres", "postgres")
	if _, err := query(t, admin, "CREATE DATABASE clone OWNER pgcell TEMPLATE "+m.Template); !errors.Is(err, pgx.ErrNoRows) {
		t.Fatal(err)
	}
	clone := s.URL(golden.Role, "clone")
	for sql, want := range map[string]string{
		"SELECT string_agg(id::text, ',' ORDER BY id) FROM t":                                                       "1,2,3,4",
		"SELECT tableowner::text FROM pg_tables WHERE tablename = 't'":                                              "pgcell",
		"SELECT pg_get_userbyid(datdba)::text FROM pg_database WHERE datistemplate AND datname LIKE 'template\\_%'": "postgres",
		"SELECT count(*)::text FROM pg_index JOIN pg_class c ON c.oid = indrelid AND relname = 't' AND indisvalid":  "2",
		"SELECT (h->'a') FROM t WHERE id = 4":                                                                       "1",
		"SELECT rolsuper::text FROM pg_roles WHERE rolname = current_user":                                          "false",
		"SELECT rolcreaterole::text FROM pg_roles WHERE rolname = current_user":                                     "true",
		"SELECT pg_has_role('app_reader', 'MEMBER')::text":                                                          "true",
		"SELECT rolinherit::text FROM pg_roles WHERE rolname = 'app_writer'":                                        "false",
		"SELECT has_table_privilege('app_reader', 't', 'SELECT')::text":                                             "true",
	} {
		if got, err := query(t, clone, sql); err != nil || got != want {
			t.Errorf("%s = %q, %v; want %q", sql, got, err, want)
		}
	}
}

func TestBuildErrors(t *testing.T) {
	t.Parallel()
	script := func(sql string) golden.Recipe {
		return golden.Recipe{Migrations: []golden.Script{{Name: "ok.sql", SQL: "CREATE TABLE ok (id int)"}, {Name: "db/2_bad.sql", SQL: sql}}}
	}
	for _, c := range []struct {
		name   string
		recipe golden.Recipe
		want   []string
	}{
		{"missing table", script("SELECT 1;\n\nINSERT INTO ok\nSELECT * FROM absent;"), []string{`db/2_bad.sql:4: ERROR: relation "absent" does not exist (SQLSTATE 42P01)`}},
		{"syntax", script("SELECT 1;\nCREATE TABEL x ();"), []string{`db/2_bad.sql:2: ERROR: syntax error at or near "TABEL" (SQLSTATE 42601)`}},
		{"detail", script("CREATE TABLE u (id int UNIQUE);\nINSERT INTO u VALUES (1), (1);"), []string{"db/2_bad.sql:2: ERROR: duplicate key", "DETAIL: Key (id)=(1) already exists."}},
		{"copy", script("\nCOPY ok FROM stdin;\n1\nx\n\\.\n"), []string{"db/2_bad.sql:4: ERROR: invalid input syntax for type integer", "CONTEXT: COPY ok, line 2, column id"}},
		{"open transaction", script("BEGIN;\nSELECT 1;"), []string{"db/2_bad.sql:1: the transaction that begins here is still open at the end of the file; add COMMIT"}},
		{"extension", golden.Recipe{Extensions: []string{"no_such"}}, []string{`make extension "no_such"`, "is not available"}},
		{"extension's form", golden.Recipe{Extensions: []string{"citext SHCEMA x"}}, []string{`make extension "citext SHCEMA x": want NAME, or NAME with SCHEMA name and VERSION 'version' after it, such as "postgis VERSION '3.3' SCHEMA gis"`}},
		{"extension's version", golden.Recipe{Extensions: []string{"citext VERSION '0.1'"}}, []string{`make extension "citext VERSION '0.1'": `, `has no installation script nor update path for version "0.1"`}},
		{"role", golden.Recipe{Roles: []string{"x NONSENSE"}}, []string{`make role "x NONSENSE"`, "NONSENSE"}},
		{"setting", golden.Recipe{Settings: map[string]string{"work_mem": "lots"}}, []string{"start server of", `invalid value for parameter "work_mem": "lots"`}},
		{"migrator", golden.Recipe{Migrator: &golden.Migrator{Key: "k", Run: func(context.Context, string) error { return errors.New("exit status 7") }}}, []string{"run migrator: exit status 7"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			err := golden.BuildFile(t.Context(), filepath.Join(dir, "x"), mustInstall(t), c.recipe, golden.Options{})
			for _, want := range append(c.want, "build template: ") {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("Build = %v\nwant it to contain %q", err, want)
				}
			}
			if left, _ := os.ReadDir(dir); len(left) > 0 {
				t.Errorf("after an error there is %v, want nothing", left)
			}
		})
	}
}

func TestTemplateName(t *testing.T) {
	t.Parallel()
	v := binaries.Install{BinDir: "/x", Version: binaries.Version{Major: 15, Minor: 18}, Build: "a"}
	name := full.TemplateName(v)
	if again := full.TemplateName(v); again != name || !strings.HasPrefix(name, "template_") || len(name) != len("template_")+16 {
		t.Errorf("TemplateName = %q, then %q", name, again)
	}
	seen := map[string]string{name: "full"}
	for what, change := range map[string]func(*golden.Recipe){
		"settings":   func(r *golden.Recipe) { r.Settings = map[string]string{"work_mem": "7MB"} },
		"locale":     func(r *golden.Recipe) { r.Locale = "C" },
		"roles":      func(r *golden.Recipe) { r.Roles = nil },
		"extensions": func(r *golden.Recipe) { r.Extensions = nil },
		"name":       func(r *golden.Recipe) { r.Seeds = []golden.Script{{Name: "s.sql", SQL: full.Seeds[0].SQL}} },
		"text":       func(r *golden.Recipe) { r.Seeds = []golden.Script{{Name: full.Seeds[0].Name}} },
		"order":      func(r *golden.Recipe) { r.Migrations = []golden.Script{full.Migrations[1], full.Migrations[0]} },
		"a byte":     func(r *golden.Recipe) { r.Seeds = []golden.Script{{Name: "s.sql", SQL: "SELECT '\xe4'"}} },
		"other byte": func(r *golden.Recipe) { r.Seeds = []golden.Script{{Name: "s.sql", SQL: "SELECT '\xe5'"}} },
		"included": func(r *golden.Recipe) {
			r.Seeds = []golden.Script{{Name: "s.sql", Includes: []golden.Script{{Name: "i.sql"}}}}
		},
		"key":       func(r *golden.Recipe) { r.Migrator = &golden.Migrator{Key: "2"} },
		"migrator":  func(r *golden.Recipe) { r.Migrator = nil },
		"superuser": func(r *golden.Recipe) { r.Superuser = true },
	} {
		r := full
		change(&r)
		got := r.TemplateName(v)
		if same := seen[got]; same != "" {
			t.Errorf("a change of %s gives the same name as %s", what, same)
		}
		seen[got] = what
	}
	if full.TemplateName(binaries.Install{Version: binaries.Version{Major: 15, Minor: 19}, Build: "a"}) == name {
		t.Error("another minor version gives the same name")
	}
	if full.TemplateName(binaries.Install{Version: v.Version, Build: "b"}) == name {
		t.Error("another build of the version gives the same name")
	}
	if full.TemplateName(binaries.Install{BinDir: "/y", Version: v.Version, Build: "a"}) != name {
		t.Error("another directory gives another name")
	}
}

// mustRewrite changes a text of the same length in what a golden cluster holds, and gives it a digest that fits.
func mustRewrite(t *testing.T, whole []byte, from, to string) []byte {
	t.Helper()
	z, err := zstd.NewReader(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	plain, err := z.DecodeAll(whole, nil)
	if err != nil || !bytes.Contains(plain, []byte(from)) || len(from) != len(to) {
		t.Fatalf("no %q in it, or not as long as %q: %v", from, to, err)
	}
	w, err := zstd.NewWriter(nil, zstd.WithWindowSize(1<<20))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	text := w.EncodeAll(bytes.Replace(plain, []byte(from), []byte(to), 1), nil)
	sum := crc32.Checksum(text, crc32.MakeTable(crc32.Castagnoli))
	return binary.LittleEndian.AppendUint32(append(text, whole[len(whole)-12:len(whole)-4]...), sum)
}

func TestDamaged(t *testing.T) {
	t.Parallel()
	whole, err := os.ReadFile(mustBuild(t, golden.Recipe{}))
	if err != nil {
		t.Fatal(err)
	}
	const before = archive.Format - 1
	other := mustRewrite(t, whole, fmt.Sprintf(`{"Format":%d,`, archive.Format), fmt.Sprintf(`{"Format":%d,`, before))
	flipped := bytes.Clone(whole)
	flipped[len(flipped)/2] ^= 0x40
	for name, c := range map[string]struct {
		text []byte
		why  string
	}{
		"empty":        {nil, "it has only 0 bytes"},
		"text":         {[]byte("not a cluster"), "it does not end with its digest: it was cut or appended to, or another release"},
		"cut":          {whole[:len(whole)*2/3], "it does not end with its digest"},
		"appended":     {append(bytes.Clone(whole), 0), "it does not end with its digest"},
		"flipped":      {flipped, "its digest is not that of its content"},
		"other format": {other, fmt.Sprintf("another release of pgcell wrote it, in format %d; this one reads %d", before, archive.Format)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "x.pgcell")
			if err := os.WriteFile(path, c.text, 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := postgres.Start(t.Context(), postgres.Config{Install: mustInstall(t), Source: golden.Source(path)})
			var failed *keeper.ServerError
			if !errors.As(err, &failed) || !failed.Damaged {
				t.Fatalf("Start = %v, want a ServerError with Damaged", err)
			}
			for _, want := range []string{path, "it is damaged (" + c.why, "delete it, and Bazel or pgcell makes it anew"} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("Start = %q, want it to contain %q", err, want)
				}
			}
			var damaged *archive.DamagedError
			if _, err := golden.ReadManifest(path); !errors.As(err, &damaged) {
				t.Errorf("ReadManifest = %v, want a DamagedError", err)
			}
		})
	}
}

// TestCachedReplacesDamaged damages what a cache directory keeps, in the middle, where no manifest is.
func TestCachedReplacesDamaged(t *testing.T) {
	t.Parallel()
	dir, built := t.TempDir(), 0
	r := golden.Recipe{Migrator: &golden.Migrator{Key: "damaged", Run: func(context.Context, string) error {
		built++
		return nil
	}}}
	var first []byte
	for want := 1; want <= 2; want++ {
		path, err := golden.Cached(t.Context(), dir, mustInstall(t), r, golden.Options{})
		if err != nil || built != want {
			t.Fatalf("Cached = %v, and built %d times; want %d", err, built, want)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if first != nil && !bytes.Equal(first, text) {
			t.Error("what is built for a damaged file differs from what the file was")
		}
		first = bytes.Clone(text)
		text[len(text)/2] ^= 1
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestCachedBuildsOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var mu sync.Mutex
	built := 0
	r := golden.Recipe{Migrator: &golden.Migrator{Key: "once", Run: func(context.Context, string) error {
		mu.Lock()
		defer mu.Unlock()
		built++
		return nil
	}}}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			if _, err := golden.Cached(t.Context(), dir, mustInstall(t), r, golden.Options{}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if built != 1 {
		t.Errorf("built %d times, want once", built)
	}
}

// TestDiskTakesWhatMemoryCannot unpacks into memory that has room for what a starting server reads, but not for the
// databases, which come in beside it.
func TestDiskTakesWhatMemoryCannot(t *testing.T) {
	t.Parallel()
	path := mustBuild(t, golden.Recipe{Migrations: []golden.Script{{Name: "1.sql", SQL: "CREATE TABLE t AS SELECT generate_series(1, 3) AS x"}}})
	m, err := golden.ReadManifest(path)
	if err != nil {
		t.Fatal(err)
	}
	config := postgres.Config{
		Install: mustInstall(t), Source: golden.Source(path), Containment: keeper.Namespaces, StorageLimit: 22 << 20,
	}
	s, err := postgres.Start(t.Context(), config)
	var refused *postgres.ContainmentError
	if errors.As(err, &refused) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if s.InMemory() {
		t.Errorf("the data lies in %q, want disk", s.Storage())
	}
	sql := fmt.Sprintf("CREATE DATABASE x TEMPLATE %s", m.Template)
	conn, err := pgx.Connect(t.Context(), s.URL("postgres", "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if _, err := conn.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
	if got, err := query(t, s.URL("postgres", "x"), "SELECT sum(x)::text FROM t"); got != "6" || err != nil {
		t.Errorf("sum = %q, %v, want 6", got, err)
	}
	config.Storage = storage.Memory
	if s, err := postgres.Start(t.Context(), config); err == nil {
		s.Close()
		t.Error("a server that must be in memory starts where that is too small")
	} else if want := "its memory is full: free some, or set PGCELL_STORAGE=disk"; !strings.Contains(err.Error(), want) {
		t.Errorf("Start = %v, want it to contain %q", err, want)
	}
}
