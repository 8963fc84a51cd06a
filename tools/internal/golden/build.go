package golden

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/pgcell/pgcell/tools/internal/archive"
	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/facts"
	"github.com/pgcell/pgcell/tools/internal/keeper"
	"github.com/pgcell/pgcell/tools/internal/postgres"
	"github.com/pgcell/pgcell/tools/internal/psql"
	"github.com/pgcell/pgcell/tools/internal/storage"
)

// Options say how [Build] runs; the zero value is good.
type Options struct {
	// RunfilesBinDir goes into the manifest: see [Manifest].
	RunfilesBinDir string
	// SocketParent and Containment are those of [postgres.Config].
	SocketParent string
	Containment  keeper.Containment
	// Note is told what of the scripts is passed over, as "file:line: text", once they have all run. Default: nobody.
	Note func(string)
}

// Build makes a golden cluster with install and writes it to out, whose content is undefined after an error. Cost:
// initdb, the migrations, 0.3 s; with [AutoRoles] once more for each role that is missing.
//
// Errors: [*MigrationError] for what the user wrote, with a [*psql.Error] where that is a script;
// [*keeper.ServerError]; others name the role, the extension or the locale.
func Build(ctx context.Context, install binaries.Install, r Recipe, out io.Writer, o Options) error {
	var missing []string
	for {
		err := build(ctx, install, r, missing, out, o)
		role := findMissingRole(err)
		if role != "" && slices.Contains(r.Roles, AutoRoles) && len(missing) < maxAutoRoles && !slices.Contains(missing, role) {
			missing = append(missing, role)
			continue
		}
		var step *MigrationError
		if role != "" && errors.As(err, &step) {
			step.Hint = roleHint(r.Roles, role)
		}
		if err != nil {
			return fmt.Errorf("build template: %w", err)
		}
		return nil
	}
}

// build makes the roles in missing, too.
func build(
	ctx context.Context, install binaries.Install, r Recipe, missing []string, out io.Writer, o Options,
) (err error) {
	work, err := storage.HoldOnDisk()
	if err != nil {
		return err
	}
	defer work.Remove()
	// A server that runs as nobody, for want of namespaces, must pass through.
	if err := os.Chmod(work.Path(), 0o711); err != nil {
		return err
	}
	dataDir := filepath.Join(work.Path(), "data")
	server, err := postgres.Start(ctx, postgres.Config{
		Install: install, DataDir: dataDir, Settings: buildSettings(r.Settings), Locale: r.Locale,
		SocketParent: o.SocketParent, Containment: o.Containment,
	})
	if err != nil {
		return err
	}
	defer server.Close()
	settings := server.InitialSettings()
	maps.Copy(settings, r.Settings)
	m := Manifest{
		Template: r.TemplateName(install), Postgres: install.Version, Build: install.Build, BinDir: install.BinDir,
		RunfilesBinDir: o.RunfilesBinDir, Settings: settings,
	}
	if m.RunfilesBinDir != "" {
		m.BinDir = "" // a path of the action's own, which means nothing elsewhere
	} else if info, err := os.Stat(filepath.Join(m.BinDir, "postgres")); err == nil {
		m.Size = info.Size()
	}
	b := &builder{ctx: ctx, server: server, recipe: r, missing: missing, template: m.Template}
	b.connect, b.url = server.Connect, server.URL(Role, m.Template)
	if err := b.make(); err != nil {
		return err
	}
	if o.Note != nil {
		for _, note := range b.notes {
			o.Note(note)
		}
	}
	m.Facts, m.Superuser, m.Collations = b.facts, b.ordinary.Super, b.collations
	if err := server.Shutdown(ctx); err != nil {
		return err
	}
	return archive.Pack(out, dataDir, func(h archive.Header) any {
		m.Header = h
		return m
	})
}

// buildSettings are those of the server while it builds. Where a commit does not wait until the log is written, rows get
// their hint bits and pages their bits in the visibility map sooner or later, by chance, and two builds differ.
func buildSettings(settings map[string]string) map[string]string {
	all := maps.Clone(settings)
	if all == nil {
		all = map[string]string{}
	}
	all["synchronous_commit"] = "on"
	return all
}

// builder carries what the steps of one Build share.
type builder struct {
	ctx        context.Context
	server     *postgres.Server // nil where others manage it
	connect    func(ctx context.Context, user, database string) (*pgx.Conn, error)
	url        string // of the template, for a migrator
	recipe     Recipe
	missing    []string // roles, see [AutoRoles]
	template   string
	ordinary   attributes // of [Role], when no migration runs
	facts      facts.Template
	collations string
	notes      []string
}

func (b *builder) make() error {
	steps := []func() error{
		b.checkLocale, b.makeRoles, b.makeDatabase, b.spreadClasses, b.ownPublic, b.makeStandIns, b.makeExtensions,
		b.raise, b.migrate, b.lower, b.noteStandIns, b.checkSystem, b.seal,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// as runs statements in a connection of their own.
func (b *builder) as(user, database string, do func(*pgx.Conn) error) error {
	conn, err := b.connect(b.ctx, user, database)
	if err != nil {
		return fmt.Errorf("connect to %s as %s: %w", database, user, err)
	}
	defer conn.Close(context.WithoutCancel(b.ctx))
	return do(conn)
}

// collect gives the values of a query of one column.
func collect[T any](ctx context.Context, conn *pgx.Conn, sql string, args ...any) ([]T, error) {
	rows, _ := conn.Query(ctx, sql, args...) // CollectRows gives its error
	return pgx.CollectRows(rows, pgx.RowTo[T])
}

func (b *builder) makeDatabase() error {
	return b.as(Superuser, "postgres", func(conn *pgx.Conn) error {
		sql := fmt.Sprintf("CREATE DATABASE %s OWNER %s TEMPLATE template0", pgx.Identifier{b.template}.Sanitize(), Role)
		if b.server.Install().Version.Major >= 15 {
			sql += " STRATEGY FILE_COPY" // the other marks each page, and equal files are packed once
		}
		if _, err := conn.Exec(b.ctx, sql); err != nil {
			return fmt.Errorf("%s: %w", sql, err)
		}
		return nil
	})
}

// ownPublic gives the schema public to the owner of the database, as it is from PostgreSQL 15 on: so a test may drop it and
// make it anew. Who may create in it stays as version 14 has it.
func (b *builder) ownPublic() error {
	if b.server.Install().Version.Major >= 15 {
		return nil
	}
	const sql = "ALTER SCHEMA public OWNER TO pg_database_owner"
	err := b.as(Superuser, "postgres", func(conn *pgx.Conn) error {
		return b.execAll(conn, "ALTER DATABASE template0 ALLOW_CONNECTIONS true") // empty databases are clones of it
	})
	for _, database := range []string{"template0", b.template} {
		if err == nil {
			err = b.as(Superuser, database, func(conn *pgx.Conn) error { return b.execAll(conn, sql) })
		}
	}
	if err == nil {
		err = b.as(Superuser, "postgres", func(conn *pgx.Conn) error {
			return b.execAll(conn, "ALTER DATABASE template0 ALLOW_CONNECTIONS false")
		})
	}
	return err
}

// migrate runs all that the user wrote.
func (b *builder) migrate() error {
	err := b.run(b.recipe.Migrations)
	if m := b.recipe.Migrator; m != nil && err == nil {
		if err = m.Run(b.ctx, b.url); err != nil {
			err = fmt.Errorf("run migrator: %w", err)
		}
	}
	if err == nil {
		err = b.run(b.recipe.Seeds)
	}
	if err != nil {
		return &MigrationError{Err: err, Hint: cmp.Or(b.collationHint(err), databaseHint(err))}
	}
	return nil
}

// run executes scripts, each in a session of its own unless it asks for that of the one before.
func (b *builder) run(scripts []Script) error {
	for len(scripts) > 0 {
		n := 1
		for n < len(scripts) && scripts[n].SameSession {
			n++
		}
		err := b.as(Role, b.template, func(conn *pgx.Conn) error {
			for _, script := range scripts[:n] {
				if err := psql.Run(b.ctx, conn, script, b.note); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		scripts = scripts[n:]
	}
	return nil
}

func (b *builder) note(text string) { b.notes = append(b.notes, text) }

// seal gives the planner its statistics and shuts the template: nobody can connect to it and make clones wait.
func (b *builder) seal() error {
	err := b.as(Superuser, b.template, func(conn *pgx.Conn) error {
		if err := vacuum(b.ctx, conn); err != nil {
			return fmt.Errorf("vacuum template: %w", err)
		}
		var err error
		b.facts, err = facts.Read(b.ctx, conn, Role)
		return err
	})
	if err != nil {
		return err
	}
	return b.as(Superuser, "postgres", func(conn *pgx.Conn) error {
		var err error
		if b.collations, err = collations(b.ctx, conn, b.server.Install().Version.Major); err != nil {
			return err
		}
		name := pgx.Identifier{b.template}.Sanitize()
		if _, err := conn.Exec(b.ctx, "ALTER ROLE postgres PASSWORD '"+postgres.Secret(Password)+"'"); err != nil {
			return fmt.Errorf("seal template: set a password: %w", err)
		}
		for _, sql := range []string{
			"ALTER DATABASE " + name + " IS_TEMPLATE true ALLOW_CONNECTIONS false",
			"ALTER DATABASE " + name + " OWNER TO " + Superuser, // so that no test can unseal it
			"CHECKPOINT",
		} {
			if _, err := conn.Exec(b.ctx, sql); err != nil {
				return fmt.Errorf("seal template: %s: %w", sql, err)
			}
		}
		return nil
	})
}
