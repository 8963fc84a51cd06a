package conf_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/pgcell/pgcell/tools/internal/conf"
)

// The libraries that came with a PostgreSQL go before those of the caller's environment.
func TestEnvLibraries(t *testing.T) { // not parallel: it sets a variable
	t.Setenv("LD_LIBRARY_PATH", "/mine")
	root := t.TempDir()
	bin := filepath.Join(root, "usr", "bin")
	if got := conf.Env(bin); !slices.Contains(got, "LD_LIBRARY_PATH=/mine") {
		t.Errorf("Env(%q) = %v, want LD_LIBRARY_PATH=/mine", bin, got)
	}
	libraries := filepath.Join(root, "pgcell-libraries")
	if err := os.Mkdir(libraries, 0o755); err != nil {
		t.Fatal(err)
	}
	if want := "LD_LIBRARY_PATH=" + libraries + ":/mine"; !slices.Contains(conf.Env(bin), want) {
		t.Errorf("Env(%q) = %v, want %s", bin, conf.Env(bin), want)
	}
	t.Setenv("LD_LIBRARY_PATH", "")
	if want := "LD_LIBRARY_PATH=" + libraries; !slices.Contains(conf.Env(bin), want) {
		t.Errorf("Env(%q) = %v, want %s", bin, conf.Env(bin), want)
	}
}
