package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/golden"
	"github.com/pgcell/pgcell/tools/internal/migrations"
)

// spec is what the rule pg_template asks for. Paths are relative to the working directory; names are the same on every
// machine.
type spec struct {
	Label      string            `json:"label"`
	Postgres   postgresSpec      `json:"postgres"`
	Migrations []file            `json:"migrations"`
	Order      string            `json:"order"` // of migrations: auto or given
	Migrator   *migrator         `json:"migrator"`
	Seeds      []file            `json:"seeds"`
	Extensions []string          `json:"extensions"`
	Roles      []string          `json:"roles"`
	Settings   map[string]string `json:"settings"`
	Locale     string            `json:"locale"`
	Superuser  bool              `json:"superuser"`
}

type postgresSpec struct {
	BinDir         string `json:"bindir"`
	Build          string `json:"build"`           // what tells it from others of its version; "" where it is an input
	RunfilesBinDir string `json:"runfiles_bindir"` // "" where the machine has it
	Version        string `json:"version"`         // of which the toolchain says that it is
}

type file struct {
	Path string `json:"path"`
	Name string `json:"name"`
}

type migrator struct {
	Path string            `json:"path"`
	Args []string          `json:"args"`
	Env  map[string]string `json:"env"`
	// Files are what the migrator reads besides itself; they are part of the template's name.
	Files []file `json:"files"`
}

func readSpec(path string) (spec, error) {
	var s spec
	text, err := os.ReadFile(path)
	if err != nil {
		return s, fmt.Errorf("read specification: %w", err)
	}
	if err := json.Unmarshal(text, &s); err != nil {
		return s, fmt.Errorf("read specification %q: %w", path, err)
	}
	return s, nil
}

// install checks that the toolchain's PostgreSQL is there and of the version that it is said to be.
func (s spec) install(ctx context.Context) (binaries.Install, error) {
	install, err := binaries.Inspect(ctx, s.Postgres.BinDir)
	if err != nil {
		return install, err
	}
	want, _, _ := strings.Cut(s.Postgres.Version, ".")
	if got := fmt.Sprint(install.Version.Major); got != want {
		return install, fmt.Errorf("PostgreSQL in %q is %v, and its toolchain says %s; run bazel fetch --force "+
			"to look at the machine again", install.BinDir, install.Version, s.Postgres.Version)
	}
	install.Build = s.Postgres.Build
	return install, nil
}

// recipe reads what the specification names.
func (s spec) recipe() (golden.Recipe, error) {
	r := golden.Recipe{Settings: s.Settings, Locale: s.Locale, Roles: s.Roles, Extensions: s.Extensions, Superuser: s.Superuser}
	files, err := read("migration", s.Migrations)
	if err != nil {
		return r, err
	}
	if r.Migrations, err = migrations.FromList(files, s.Order == "given"); err != nil {
		return r, err
	}
	if files, err = read("seed", s.Seeds); err != nil {
		return r, err
	}
	if r.Seeds, err = migrations.SeedsFromList(files); err != nil {
		return r, err
	}
	if s.Migrator != nil {
		r.Migrator, err = s.Migrator.migrator()
	}
	return r, err
}

// read reads migrations or seeds.
func read(what string, files []file) ([]migrations.File, error) {
	all := make([]migrations.File, len(files))
	for i, f := range files {
		text, err := os.ReadFile(f.Path)
		if err != nil {
			return nil, fmt.Errorf("read %s %s: %w", what, f.Name, err)
		}
		all[i] = migrations.File{Name: f.Name, SQL: string(text)}
	}
	return all, nil
}

// migrator makes a key of all that the executable is and gets.
func (m migrator) migrator() (*golden.Migrator, error) {
	hash := sha256.New()
	for _, f := range append([]file{{Path: m.Path, Name: "migrator"}}, m.Files...) {
		text, err := os.ReadFile(f.Path)
		if err != nil {
			return nil, fmt.Errorf("read migrator's file %s: %w", f.Name, err)
		}
		fmt.Fprintf(hash, "%q %d\n", f.Name, len(text))
		hash.Write(text)
	}
	fmt.Fprintf(hash, "%q\n", m.Args)
	for _, name := range slices.Sorted(maps.Keys(m.Env)) {
		fmt.Fprintf(hash, "%q=%q\n", name, m.Env[name])
	}
	return &golden.Migrator{Key: fmt.Sprintf("%x", hash.Sum(nil)), Run: m.run}, nil
}

// run executes the migrator with the database in its environment, in the forms that most tools read.
func (m migrator) run(ctx context.Context, database string) error {
	u, err := url.Parse(database)
	if err != nil {
		return err
	}
	path, err := filepath.Abs(m.Path)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, path, m.Args...)
	cmd.Env = append(os.Environ(), "DATABASE_URL="+database, "PGHOST="+u.Query().Get("host"), "PGPORT="+u.Query().Get("port"),
		"PGUSER="+u.User.Username(), "PGDATABASE="+strings.TrimPrefix(u.Path, "/"))
	for _, name := range slices.Sorted(maps.Keys(m.Env)) {
		cmd.Env = append(cmd.Env, name+"="+m.Env[name])
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", m.Path, err, strings.TrimSpace(string(out)))
	}
	return nil
}
