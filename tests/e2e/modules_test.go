package e2e_test

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/pgcell/pgcell/tests/internal/nested"
	"github.com/pgcell/pgcell/tests/internal/source"
)

// TestMigrators compares templates with what migration tools make.
func TestMigrators(t *testing.T) { mustPass(t, "migrators") }

// TestDrivers has tests use lib/pq, and goleak look at what pgcell leaves.
func TestDrivers(t *testing.T) { mustPass(t, "drivers") }

// mustPass runs the tests of a module in the folder tests. Go runs them, not Bazel: they need modules that MODULE.bazel
// should not name, for the sake of one test.
func mustPass(t *testing.T, module string) {
	t.Helper()
	if !nested.HasPostgres() {
		t.Skip("no PostgreSQL on this machine, whose programs the tests take")
	}
	cmd := exec.CommandContext(t.Context(), "go", "test", "-count=1", "./...")
	cmd.Dir = filepath.Join(nested.MustTree(t), "tests", module)
	cmd.Env = append(source.Environ(), "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v in %s: %v\n%s", cmd.Args, cmd.Dir, err, output)
	}
}
