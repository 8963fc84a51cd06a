// Package migrators holds what pgcell makes of the folders of migration tools against what the tools themselves make.
// It is a module of its own, so that nobody else has to take the tools.
package migrators

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/amacneil/dbmate/v2/pkg/dbmate"
	_ "github.com/amacneil/dbmate/v2/pkg/driver/postgres"
	"github.com/golang-migrate/migrate/v4"
	migratepgx "github.com/golang-migrate/migrate/v4/database/pgx/v5"
	"github.com/golang-migrate/migrate/v4/source/iofs"
	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib"
	tern "github.com/jackc/tern/v2/migrate"
	"github.com/pressly/goose/v3"
	sqlmigrate "github.com/rubenv/sql-migrate"

	"github.com/pgcell/pgcell/tools/pgcell"
)

// tools bring a database up to date with the migrations of a folder. Each leaves a table of versions.
var tools = map[string]struct {
	versions string // a pattern of pg_dump
	run      func(ctx context.Context, url string, folder fs.FS) error
}{
	"dbmate":         {"schema_migrations", runDbmate},
	"golang-migrate": {"schema_migrations", runGolangMigrate},
	"goose":          {"goose_db_version*", runGoose},
	"sql-migrate":    {"gorp_migrations", runSQLMigrate},
	"tern":           {"schema_version", runTern},
}

func TestSameAsTool(t *testing.T) {
	t.Parallel()
	for name, tool := range tools {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			folder := os.DirFS(filepath.Join("testdata", name))
			theirs := pgcell.New(t, pgcell.Config{Empty: true})
			if err := tool.run(t.Context(), theirs.URL(), folder); err != nil {
				t.Fatal(err)
			}
			ours := pgcell.New(t, pgcell.Config{Migrations: folder})
			want, got := mustDump(t, theirs, tool.versions), mustDump(t, ours, tool.versions)
			if !strings.Contains(want, "debtor AS") {
				t.Fatalf("the tool did not run all migrations:\n%s", want)
			}
			if got != want {
				t.Errorf("pgcell made\n%s\nwant what %s makes:\n%s", got, name, want)
			}
		})
	}
}

// mustDump gives the schema and the rows of a cell as SQL, other than the table of versions.
func mustDump(t *testing.T, cell *pgcell.Cell, versions string) string {
	t.Helper()
	var major string
	const ask = "SELECT (current_setting('server_version_num')::int / 10000)::text"
	if err := cell.Pool().QueryRow(t.Context(), ask).Scan(&major); err != nil {
		t.Fatal(err)
	}
	program := "/usr/lib/postgresql/" + major + "/bin/pg_dump"
	if _, err := os.Stat(program); err != nil {
		program = "pg_dump"
	}
	command := exec.Command(program, "--exclude-table="+versions, cell.URL())
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%v: %v", command.Args, err)
	}
	var lines []string
	for line := range strings.Lines(string(out)) {
		if !strings.Contains(line, `restrict `) { // which has a random word
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "")
}

func open(url string) (*sql.DB, error) { return sql.Open("pgx", url) }

func runGoose(ctx context.Context, url string, folder fs.FS) error {
	db, err := open(url)
	if err != nil {
		return err
	}
	defer db.Close()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, folder)
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

func runGolangMigrate(_ context.Context, url string, folder fs.FS) error {
	db, err := open(url)
	if err != nil {
		return err
	}
	defer db.Close()
	driver, err := migratepgx.WithInstance(db, &migratepgx.Config{})
	if err != nil {
		return err
	}
	source, err := iofs.New(folder, ".")
	if err != nil {
		return err
	}
	m, err := migrate.NewWithInstance("iofs", source, "pgx5", driver)
	if err != nil {
		return err
	}
	return m.Up()
}

func runDbmate(_ context.Context, database string, folder fs.FS) error {
	u, err := url.Parse(database)
	if err != nil {
		return err
	}
	query := u.Query()
	query.Set("sslmode", "disable")
	u.RawQuery = query.Encode()
	db := dbmate.New(u)
	db.FS, db.MigrationsDir, db.AutoDumpSchema, db.Log = folder, []string{"."}, false, io.Discard
	return db.Migrate()
}

func runTern(ctx context.Context, url string, folder fs.FS) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	m, err := tern.NewMigrator(ctx, conn, "public.schema_version")
	if err != nil {
		return err
	}
	if err := m.LoadMigrations(folder); err != nil {
		return err
	}
	return m.Migrate(ctx)
}

func runSQLMigrate(ctx context.Context, url string, folder fs.FS) error {
	db, err := open(url)
	if err != nil {
		return err
	}
	defer db.Close()
	files, err := fs.Glob(folder, "*.sql")
	if err != nil {
		return err
	}
	var source sqlmigrate.MemoryMigrationSource
	for _, name := range files {
		text, err := folder.Open(name)
		if err != nil {
			return err
		}
		m, err := sqlmigrate.ParseMigration(name, text.(io.ReadSeeker))
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		source.Migrations = append(source.Migrations, m)
	}
	_, err = sqlmigrate.ExecContext(ctx, db, "postgres", &source, sqlmigrate.Up)
	return err
}
