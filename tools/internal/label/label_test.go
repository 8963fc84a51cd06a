package label_test

import (
	"testing"

	"github.com/pgcell/pgcell/tools/internal/label"
)

func TestVersioned(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{
		"": "//a:t", "15": "//a:t (PostgreSQL 15)", "/opt/pg (new)": "//a:t (PostgreSQL /opt/pg (new))",
	} {
		got := label.Versioned("//a:t", version)
		if got != want {
			t.Errorf("Versioned(//a:t, %q) = %q, want %q", version, got, want)
		}
		if bare, back := label.Cut(got); bare != "//a:t" || back != version {
			t.Errorf("Cut(%q) = %q, %q, want //a:t, %q", got, bare, back, version)
		}
	}
}
