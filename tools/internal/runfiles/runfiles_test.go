package runfiles_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/golden"
	"github.com/pgcell/pgcell/tools/internal/runfiles"
)

// mustPrograms makes a bin directory with a postgres of some size.
func mustPrograms(t *testing.T, size int) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "postgres"), make([]byte, size), 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// noInstall fails the test: where a golden cluster says which PostgreSQL made it, no other is looked for.
func noInstall(t *testing.T) func(context.Context) (binaries.Install, error) {
	return func(context.Context) (binaries.Install, error) {
		t.Error("Install looks for a PostgreSQL of the machine")
		return binaries.Install{}, errors.New("none")
	}
}

func TestInstall(t *testing.T) {
	t.Setenv("PGCELL_POSTGRES", "")
	t.Setenv("RUNFILES_DIR", t.TempDir())
	bin := mustPrograms(t, 10)
	if err := os.Symlink(bin, filepath.Join(os.Getenv("RUNFILES_DIR"), "bin")); err != nil {
		t.Fatal(err)
	}
	for want, m := range map[string]golden.Manifest{
		bin: {BinDir: bin, Size: 10},
		filepath.Join(os.Getenv("RUNFILES_DIR"), "bin"): {RunfilesBinDir: "bin"},
	} {
		m.Postgres, m.Build = binaries.Version{Major: 18}, "its build"
		got, err := runfiles.Install(t.Context(), m, noInstall(t))
		if want := (binaries.Install{BinDir: want, Version: m.Postgres, Build: m.Build}); err != nil || got != want {
			t.Errorf("Install = %v, %v; want %v", got, err, want)
		}
	}
}

// On the machine of a remote executor, a PostgreSQL that happens to be there is no input of the test.
func TestInstallElsewhere(t *testing.T) {
	t.Setenv("PGCELL_POSTGRES", "")
	bin := mustPrograms(t, 10)
	for here, m := range map[string]golden.Manifest{
		"lacks it":                {BinDir: filepath.Join(bin, "absent")},
		"has another build there": {BinDir: bin, Size: 11},
	} {
		m.Postgres = binaries.Version{Major: 15, Minor: 18}
		_, err := runfiles.Install(t.Context(), m, noInstall(t))
		want := fmt.Sprintf("it was made with PostgreSQL 15.18 in %q of the machine that Bazel runs on, and this machine %s. "+
			"For tests that run remotely, choose a PostgreSQL that is an input of the tests: --@pgcell//tools/rules:postgres=npm, "+
			"or postgres.archive(...) in MODULE.bazel", m.BinDir, here)
		if err == nil || err.Error() != want {
			t.Errorf("Install = %v, want %s", err, want)
		}
	}
}

// pgcell run --postgres DIR has named, for the tests too, what the template was built with.
func TestInstallNamedElsewhere(t *testing.T) {
	t.Setenv("PGCELL_POSTGRES", "/absent/15")
	_, err := runfiles.Install(t.Context(), golden.Manifest{BinDir: "/absent/15/bin"}, func(context.Context) (binaries.Install, error) {
		return binaries.Install{}, errors.New("it holds no executable postgres")
	})
	var elsewhere *runfiles.ElsewhereError
	if !errors.As(err, &elsewhere) || elsewhere.BinDir != "/absent/15/bin" {
		t.Errorf("Install = %v, want an ElsewhereError of that directory", err)
	}
}

// PGCELL_POSTGRES is the user's own word.
func TestInstallNamed(t *testing.T) {
	t.Setenv("PGCELL_POSTGRES", "/somewhere")
	want := binaries.Install{BinDir: "/somewhere/bin"}
	got, err := runfiles.Install(t.Context(), golden.Manifest{BinDir: "/absent"}, func(context.Context) (binaries.Install, error) {
		return want, nil
	})
	if err != nil || got != want {
		t.Errorf("Install = %v, %v; want %v", got, err, want)
	}
}
