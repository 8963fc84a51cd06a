package e2e_test

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/pgcell/pgcell/tests/internal/source"
)

// TestMigrators compares templates with what migration tools make. Go runs it, not Bazel: the tools are modules that
// MODULE.bazel should not name, for the sake of one test.
func TestMigrators(t *testing.T) {
	if !hasPostgres() {
		t.Skip("no PostgreSQL on this machine, whose pg_dump the comparison takes")
	}
	cmd := exec.CommandContext(t.Context(), "go", "test", "-count=1", "./...")
	cmd.Dir = filepath.Join(mustSourceTree(t), "tests", "migrators")
	cmd.Env = append(source.Environ(), "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v in %s: %v\n%s", cmd.Args, cmd.Dir, err, output)
	}
}
