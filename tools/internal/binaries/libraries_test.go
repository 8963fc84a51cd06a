package binaries_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/pgcell/pgcell/tools/internal/binaries"
)

func TestLibraries(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	bin := filepath.Join(root, "tree/usr/lib/postgresql/15/bin")
	mustFakeInstall(t, bin, "15.18")
	if got := binaries.Libraries(bin); got != "" {
		t.Errorf("Libraries(%q) = %q without any, want none", bin, got)
	}
	libraries := filepath.Join(root, "tree/pgcell-libraries")
	if err := os.Mkdir(libraries, 0o755); err != nil {
		t.Fatal(err)
	}
	if got := binaries.Libraries(bin); got != libraries {
		t.Errorf("Libraries(%q) = %q, want %q", bin, got, libraries)
	}

	// A copy has them, too, and everything else at its place.
	share := filepath.Join(root, "tree/usr/share/postgresql/15/postgres.bki")
	if err := os.MkdirAll(filepath.Dir(share), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(share, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	copied, err := binaries.CopyToAll(bin, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if binaries.Libraries(copied) == "" {
		t.Errorf("the copy in %q has no libraries", copied)
	}
	if _, err := os.Stat(filepath.Join(copied, "../../../../share/postgresql/15/postgres.bki")); err != nil {
		t.Error(err)
	}
}

// The programs find the libraries that came with them.
func TestInspectWithLibraries(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	bin := mustFakeInstall(t, filepath.Join(root, "bin"), "15.18 ($LD_LIBRARY_PATH)")
	script := "#!/bin/sh\necho \"postgres (PostgreSQL) 15.18 $LD_LIBRARY_PATH\"\n"
	if err := os.WriteFile(filepath.Join(bin, "postgres"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	libraries := filepath.Join(root, "pgcell-libraries")
	if err := os.Mkdir(libraries, 0o755); err != nil {
		t.Fatal(err)
	}
	got, err := binaries.Inspect(t.Context(), bin)
	if want := "postgres (PostgreSQL) 15.18 " + libraries; err != nil || got.Build != want {
		t.Errorf("Inspect = %v, %v, want the line %q", got, err, want)
	}
}
