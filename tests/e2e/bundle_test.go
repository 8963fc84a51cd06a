package e2e_test

import (
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pgcell/pgcell/tests/internal/nested"
)

// A copy of the machine's PostgreSQL runs where there is none: its directories and its libraries are hidden from the
// sandbox. Where Bazel runs in a root of its own, that root's PostgreSQL is meant.
func TestBundle(t *testing.T) {
	dir := cloneOf(t, "smoke")
	module, build := filepath.Join(dir, "MODULE.bazel"), filepath.Join(dir, "BUILD.bazel")
	nested.MustWrite(t, module, nested.MustRead(t, module)+`
postgres = use_extension("@pgcell//tools/rules:extensions.bzl", "postgres")
postgres.bundle()
`)
	nested.MustWrite(t, build, strings.Replace(nested.MustRead(t, build), "    name = \"template\",\n",
		"    name = \"template\",\n    extensions = [\"pgcrypto\"],\n", 1)+`
genrule(
    name = "libraries",
    outs = ["libraries.txt"],
    cmd = "ldd /usr/lib/postgresql/*/bin/postgres >$@ 2>/dev/null || true",
    tags = ["local", "no-cache"],
)
`)
	file := filepath.Join(dir, "smoke_test.go")
	nested.MustWrite(t, file, nested.MustRead(t, file)+`
func TestExtension(t *testing.T) {
	t.Parallel()
	mustExec(t, open(t), "SELECT crypt('password', gen_salt('bf'))")
}
`)
	// What only PostgreSQL uses of the libraries; the shell of Bazel's tests loads some of the others.
	r := bazel(t, dir, "build", "--experimental_convenience_symlinks=normal", "//:libraries")
	r.EnsureSuccess(t)
	hidden := []string{"/usr/lib/postgresql", "/usr/share/postgresql"}
	for _, m := range regexp.MustCompile(`lib(icu|ldap|gssapi|krb5|pam|ssl|xml2)\S* => (/\S+)`).FindAllStringSubmatch(
		nested.MustRead(t, filepath.Join(dir, "bazel-bin", "libraries.txt")), -1) {
		hidden = append(hidden, m[2])
	}
	if len(hidden) < 4 {
		t.Skipf("no PostgreSQL as Debian packages it on this machine: its libraries are %v", hidden)
	}
	args := []string{flag + "bundle", "--spawn_strategy=linux-sandbox", "--nocache_test_results"}
	for _, path := range hidden {
		args = append(args, "--sandbox_block_path="+path)
	}
	r = bazel(t, dir, "test", append(args, "//...")...)
	r.EnsureSuccess(t)
	ensureCells(t, r, "//:smoke_test", 2, 5)

	// They are hidden indeed: the machine's own PostgreSQL does not run so.
	args[0] = flag + "host"
	bazel(t, dir, "test", append(args, "//...")...).EnsureOutput(t, 1, "/usr/lib/postgresql/", "Migrating //:template ", " failed")
}

// What cannot be copied is an error that says what to do.
func TestBundleOfADirectory(t *testing.T) {
	dir := newWorkspace(t, `postgres.bundle(bindir = "/nowhere/bin")
`)
	bazel(t, dir, "build", flag+"bundle", "//:template").EnsureOutput(t, 1,
		`postgres.bundle(bindir = "/nowhere/bin"): got a directory that does not serve (there is no /nowhere/bin/postgres), `+
			"want the absolute one that holds postgres and initdb of a PostgreSQL 14 to 18.")
	dir = newWorkspace(t, "postgres.bundle()\nuse_repo(postgres, \"postgres_bundle_14\")\n")
	bazel(t, dir, "build", "@postgres_bundle_14//:postgres").EnsureOutput(t, 1,
		"postgres.bundle(): got no PostgreSQL 14 on this machine. Install it, or name its directory in the attribute bindir "+
			"or in PGCELL_POSTGRES.")

	fake := filepath.Join(dir, "fake", "bin")
	nested.MustWrite(t, filepath.Join(fake, "postgres"), "#!/bin/sh\necho 'postgres (PostgreSQL) 14.3'\n")
	nested.MustWrite(t, filepath.Join(fake, "initdb"), "#!/bin/sh\nexit 1\n")
	bazel(t, dir, "build", "--repo_env=PGCELL_POSTGRES="+fake, "@postgres_bundle_14//:postgres").EnsureOutput(t, 1,
		"postgres.bundle(): copy the PostgreSQL in "+fake+": exit code 1: no directory with extension/ and no directory with "+
			"plpgsql.so belongs to it. Mend that installation, or name another in the attribute bindir.")
}
