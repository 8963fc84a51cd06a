package pgcell_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgcell/pgcell/tools/internal/binaries"
	"github.com/pgcell/pgcell/tools/internal/golden"
	"github.com/pgcell/pgcell/tools/pgcell"
)

func mustInstall(t *testing.T) binaries.Install {
	t.Helper()
	install, err := binaries.Find(t.Context(), binaries.DefaultSearch(os.Getenv))
	if err != nil {
		t.Fatal(err)
	}
	return install
}

// mustGolden builds an empty golden cluster.
func mustGolden(t *testing.T, install binaries.Install, o golden.Options) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "rule.pgcell")
	if err := golden.BuildFile(context.Background(), path, install, golden.Recipe{}, o); err != nil {
		t.Fatal(err)
	}
	return path
}

// mustCopyInstall copies the programs of an installation to where runfiles would be, and links the rest. It gives the
// directory of the programs below root.
func mustCopyInstall(t *testing.T, install binaries.Install, root string) string {
	t.Helper()
	var from, to string
	links := map[string]string{}
	if major := fmt.Sprint(install.Version.Major); strings.HasSuffix(install.BinDir, "/lib/postgresql/"+major+"/bin") { // Debian
		from, to = filepath.Join(install.BinDir, "../../../.."), "lib/postgresql/"+major
		links["share/postgresql/"+major] = "share/postgresql/" + major
	} else {
		from, to = filepath.Dir(install.BinDir), "."
		links["share"] = "share"
	}
	links[to+"/lib"] = to + "/lib"
	for link, target := range links {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, link)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(from, target), filepath.Join(root, link)); err != nil {
			t.Fatal(err)
		}
	}
	bin := filepath.Join(root, to, "bin")
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, program := range []string{"postgres", "initdb"} {
		text, err := os.ReadFile(filepath.Join(install.BinDir, program))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(bin, program), text, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return bin
}

// TestInstallChild is the process that TestCodeUsesTheRulesPostgres starts.
func TestInstallChild(t *testing.T) {
	want := os.Getenv("PGCELL_TEST_BINDIR")
	if want == "" {
		t.Skip("runs as a child of TestCodeUsesTheRulesPostgres alone")
	}
	for range 2 { // the second time nothing is said
		pgcell.New(t, pgcell.Config{Superuser: true})
	}
	c := pgcell.New(t, pgcell.Config{Extensions: []string{"hstore"}, Superuser: true})
	if got := mustScan[string](t, c, "SELECT setting FROM pg_config WHERE name = 'BINDIR'"); got != want {
		t.Errorf("the server's programs are in %q, want %q", got, want)
	}
}

// TestCodeUsesTheRulesPostgres has a template in code under Bazel, which brings a PostgreSQL with the test's own template: the
// machine's is no input of the test.
func TestCodeUsesTheRulesPostgres(t *testing.T) {
	t.Parallel()
	runfiles, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(runfiles, 0o755); err != nil {
		t.Fatal(err)
	}
	install := mustInstall(t)
	bin := mustCopyInstall(t, install, filepath.Join(runfiles, "pg"))
	below, err := filepath.Rel(runfiles, bin)
	if err != nil {
		t.Fatal(err)
	}
	path := mustGolden(t, binaries.Install{BinDir: bin, Version: install.Version}, golden.Options{RunfilesBinDir: below})
	cmd := exec.Command(os.Args[0], "-test.run=^TestInstallChild$")
	cmd.Env = append(os.Environ(), "PGCELL_TEST_BINDIR="+bin, "PGCELL_TEMPLATE="+path, "RUNFILES_DIR="+runfiles,
		"PGCELL_CACHE="+t.TempDir(), "PGCELL_POSTGRES=")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	// The user finds out why migrations of the rule's template are missing.
	want := "pgcell: a pgcell.Config describes a template in code, so " + path + ", which the test's rule names, is not used there; " +
		"if that is not meant, drop one of the two\n"
	if got := strings.Count(string(out), want); got != 1 {
		t.Errorf("said %d times that another template is used, want once:\n%s", got, out)
	}
}
