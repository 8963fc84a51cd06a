package exec

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"

	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/cache"
	"github.com/pgcell/pgcell/tools/internal/cells"
	"github.com/pgcell/pgcell/tools/internal/golden"
	"github.com/pgcell/pgcell/tools/internal/migrations"
	"github.com/pgcell/pgcell/tools/internal/source"
	"github.com/pgcell/pgcell/tools/internal/workspace"
)

// template is a golden cluster, and what makes it anew.
type template struct {
	path    string
	install binaries.Install
	again   func(context.Context) (string, error) // nil where it is not ours
}

// template finds or makes the golden cluster. work is a directory of this call's.
func (s *session) template(ctx context.Context, o options) (template, error) {
	install, err := findInstall(ctx, o)
	if err != nil {
		return template{}, err
	}
	if o.template != "" {
		m, err := golden.ReadManifest(o.template)
		if err != nil {
			return template{}, err
		}
		if o.postgres == "" && m.BinDir != "" {
			if found, err := binaries.Inspect(ctx, m.BinDir); err == nil {
				install = found
			}
		}
		return template{path: o.template, install: install}, nil
	}
	r, err := recipe(o)
	if err != nil {
		return template{}, err
	}
	once := false
	if o.migrate != "" {
		r.Migrator = &golden.Migrator{Run: s.migrator(o)}
		once = len(o.migrateInputs) == 0
		if r.Migrator.Key, err = migrateKey(o); err != nil {
			return template{}, err
		}
	}
	build := func(ctx context.Context) (string, error) {
		if once {
			path := filepath.Join(s.dir.Path(), "template.pgcell")
			e, err := cache.ReadEnviron()
			if err != nil {
				return "", err
			}
			return path, golden.BuildFile(ctx, path, install, r, golden.Options{
				SocketParent: e.SocketParent, Containment: e.Containment, Note: s.warn,
			})
		}
		return cache.Golden(ctx, install, r, s.warn)
	}
	path, err := build(ctx)
	return template{path: path, install: install, again: build}, err
}

func findInstall(ctx context.Context, o options) (binaries.Install, error) {
	search := binaries.DefaultSearch(os.Getenv)
	if o.postgres != "" {
		search = binaries.Search{Dir: o.postgres}
	}
	return binaries.Find(ctx, search)
}

// recipe makes a golden recipe of the flags, but for the migrator.
func recipe(o options) (golden.Recipe, error) {
	r := golden.Recipe{Settings: o.parameters, Locale: o.locale, Roles: o.roles, Extensions: o.extensions, Superuser: o.superuser}
	if o.createdb {
		r.Roles = append(r.Roles, golden.Role+" CREATEDB")
	}
	if o.user != "" && o.user != golden.Role && o.user != golden.Superuser {
		r.Roles = append(r.Roles, o.user)
	}
	if o.migrations == "" {
		return r, nil
	}
	if info, err := os.Stat(o.migrations); err != nil {
		return r, fmt.Errorf("--migrations: %w", err)
	} else if !info.IsDir() {
		return r, fmt.Errorf("--migrations %s: it is no directory", o.migrations)
	}
	var err error
	if r.Migrations, err = migrations.FromFS(os.DirFS(o.migrations), nil); err != nil {
		return r, fmt.Errorf("--migrations %s: %w", o.migrations, err)
	}
	return r, nil
}

// migrateKey stands for all that --migrate does.
func migrateKey(o options) (string, error) {
	hash := sha256.New()
	fmt.Fprintf(hash, "%q\n", o.migrate)
	for _, glob := range o.migrateInputs {
		files, err := workspace.Match(glob)
		if err != nil {
			return "", fmt.Errorf("--migrate-inputs %s: %w", glob, err)
		}
		if len(files) == 0 {
			return "", fmt.Errorf("--migrate-inputs %s: no file matches", glob)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				return "", fmt.Errorf("--migrate-inputs %s: %w", glob, err)
			}
			fmt.Fprintf(hash, "%q %d\n", file, len(text))
			hash.Write(text)
		}
	}
	return fmt.Sprintf("exec:%x", hash.Sum(nil)), nil
}

// start starts the server, on a template that is made anew where it proves to be damaged.
func (s *session) start(ctx context.Context) (*cells.Cluster, error) {
	return cache.Start(ctx, s.made.path, s.made.again, s.open)
}

func (s *session) open(ctx context.Context, path string) (*cells.Cluster, error) {
	return source.Template{
		Golden: path, Install: s.made.install, Settings: s.o.parameters, Password: s.password,
		Superuser: s.o.isolate == perProcess, Warn: s.warn,
	}.Start(ctx)
}
