package binaries_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/binaries"
)

// mustFakeInstall makes a bin directory whose postgres does no more than to say its version: what Find looks at.
func mustFakeInstall(t *testing.T, dir, version string) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, script := range map[string]string{
		"postgres":  "#!/bin/sh\necho 'postgres (PostgreSQL) " + version + "'\n",
		"initdb":    "#!/bin/sh\nexit 1\n",
		"pg_config": "#!/bin/sh\necho '" + dir + "'\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// The rules look for the host's PostgreSQL where the library does, and in the same order.
func TestFindLooksWhereTheRulesDo(t *testing.T) {
	t.Parallel()
	rule, err := os.ReadFile("../../rules/private/host_repository.bzl")
	if err != nil {
		t.Fatal(err)
	}
	list := regexp.MustCompile(`(?s)\n_USUAL_DIRECTORIES = \[\n(.*?)\]`).FindSubmatch(rule)
	if list == nil {
		t.Fatal("host_repository.bzl has no _USUAL_DIRECTORIES")
	}
	var want []string
	for _, line := range regexp.MustCompile(`"(.*)",`).FindAllSubmatch(list[1], -1) {
		want = append(want, strings.ReplaceAll(string(line[1]), "{major}", "*"))
	}
	if diff := cmp.Diff(want, binaries.DefaultSearch(os.Getenv).Globs); diff != "" {
		t.Errorf("directories (-host_repository.bzl +find.go):\n%s", diff)
	}
}

func TestFindOrder(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	named := mustFakeInstall(t, filepath.Join(root, "named/bin"), "14.2")
	onPath := mustFakeInstall(t, filepath.Join(root, "path"), "15.18 (Debian 15.18-0+deb12u1)")
	linked := filepath.Join(root, "links")
	if err := os.Mkdir(linked, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(onPath, "postgres"), filepath.Join(linked, "postgres")); err != nil {
		t.Fatal(err)
	}
	configured := filepath.Join(root, "configured")
	mustFakeInstall(t, configured, "16.1")
	onlyConfig := filepath.Join(root, "onlyconfig")
	mustFakeInstall(t, onlyConfig, "")
	os.Remove(filepath.Join(onlyConfig, "postgres"))
	os.WriteFile(filepath.Join(onlyConfig, "pg_config"), []byte("#!/bin/sh\necho '"+configured+"'\n"), 0o755)
	mustFakeInstall(t, filepath.Join(root, "debian/9/bin"), "9.6.24")
	mustFakeInstall(t, filepath.Join(root, "debian/17/bin"), "17.5")
	newest := mustFakeInstall(t, filepath.Join(root, "debian/18/bin"), "18beta1")
	glob := []string{filepath.Join(root, "debian/*/bin")}
	for _, c := range []struct {
		name    string
		search  binaries.Search
		dir     string
		version string
	}{
		{"directory above bin", binaries.Search{Dir: filepath.Join(root, "named"), Path: onPath}, named, "14.2"},
		{"bin directory", binaries.Search{Dir: named, Path: onPath}, named, "14.2"},
		{"path before usual directories", binaries.Search{Path: onPath, Globs: glob}, onPath, "15.18"},
		{"path through a link", binaries.Search{Path: linked}, onPath, "15.18"},
		{"pg_config", binaries.Search{Path: onlyConfig, PgConfig: true, Globs: glob}, configured, "16.1"},
		{"newest of the usual directories", binaries.Search{Path: filepath.Join(root, "absent"), Globs: glob}, newest, "18.0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := binaries.Find(t.Context(), c.search)
			if err != nil {
				t.Fatal(err)
			}
			if got.BinDir != c.dir || got.Version.String() != c.version {
				t.Errorf("Find = %s in %s, want %s in %s", got.Version, got.BinDir, c.version, c.dir)
			}
		})
	}
}

func TestFindErrors(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	old := mustFakeInstall(t, filepath.Join(root, "old/bin"), "13.20")
	mute := mustFakeInstall(t, filepath.Join(root, "mute/bin"), "")
	empty := filepath.Join(root, "empty")
	if err := os.Mkdir(empty, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		search binaries.Search
		want   []string
	}{
		{"none", binaries.Search{Path: empty}, []string{"find PostgreSQL: no version from 14 to 18 on PATH", "install it (Debian: apt-get install postgresql", "or set PGCELL_POSTGRES"}},
		{"too old on path", binaries.Search{Path: old}, []string{"no version from 14 to 18", old + " holds 13.20"}},
		{"too old named", binaries.Search{Dir: old}, []string{"inspect PostgreSQL in", old, "it is PostgreSQL 13.20, and pgcell supports 14 to 18", "set PGCELL_POSTGRES"}},
		{"no binaries", binaries.Search{Dir: empty}, []string{"inspect PostgreSQL in", empty, "it holds no executable initdb"}},
		{"no version", binaries.Search{Dir: mute}, []string{mute, "parse version", `want a line such as "postgres (PostgreSQL) 15.18"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := binaries.Find(t.Context(), c.search)
			var install *binaries.InstallError
			var none *binaries.NotFoundError
			if !errors.As(err, &install) && !errors.As(err, &none) {
				t.Fatalf("Find = %v (%T), want an InstallError or a NotFoundError", err, err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("Find = %q, want it to contain %q", err, want)
				}
			}
		})
	}
}
