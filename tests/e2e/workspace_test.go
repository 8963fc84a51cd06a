package e2e_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"

	"github.com/pgcell/pgcell/tests/internal/nested"
)

// scratch holds the workspaces that the tests write. They use the same directories one after the other: Bazel's server
// has to start anew for another one.
var scratch string

// emptied gives an empty directory in scratch.
func emptied(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(scratch, name)
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// cloneOf copies a nested workspace to another place, where it may be changed. The copy is valid until the next one.
func cloneOf(t *testing.T, name string) string {
	t.Helper()
	dir := filepath.Join(scratch, "clone")
	nested.MustClone(t, name, dir)
	return dir
}

// newWorkspace writes a workspace that depends on pgcell and says more in its MODULE.bazel. It is valid until the next.
func newWorkspace(t *testing.T, module string) string {
	t.Helper()
	dir, tree := emptied(t, "written"), nested.MustTree(t)
	nested.MustWrite(t, filepath.Join(dir, "MODULE.bazel"), `module(name = "written")

bazel_dep(name = "pgcell", version = "0.1.0")
bazel_dep(name = "rules_go", version = "0.62.0")
local_path_override(module_name = "pgcell", path = "`+tree+`")

go_sdk = use_extension("@rules_go//go:extensions.bzl", "go_sdk")
go_sdk.from_file(go_mod = "//:go.mod")

postgres = use_extension("@pgcell//tools/rules:extensions.bzl", "postgres")
`+module)
	nested.MustWrite(t, filepath.Join(dir, "BUILD.bazel"), `load("@pgcell//tools/rules:defs.bzl", "pg_template")

pg_template(name = "template")
`)
	nested.MustWrite(t, filepath.Join(dir, ".bazelrc"), "import "+tree+"/.bazelrc\n")
	nested.MustWrite(t, filepath.Join(dir, "go.mod"), "module example.com/written\n\ngo 1.25.0\n")
	return dir
}

// archiveOf packs a directory that holds bin/postgres and bin/initdb, for postgres.archive, and gives its integrity.
func archiveOf(t *testing.T, path string, programs map[string]string) string {
	t.Helper()
	var packed bytes.Buffer
	w := tar.NewWriter(&packed)
	for name, text := range programs {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(text))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	nested.MustWrite(t, path, packed.String())
	sum := sha256.Sum256(packed.Bytes())
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}
