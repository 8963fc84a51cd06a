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

func TestSame(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		want bool
	}{
		{"//a:t", "//a:t", true},
		{"//a:t", "//a:t (PostgreSQL 15)", true},
		{"//a:t (PostgreSQL 15)", "//a:t", true},
		{"//a:t (PostgreSQL 15)", "//a:t (PostgreSQL 15)", true},
		{"//a:t (PostgreSQL 15)", "//a:t (PostgreSQL 18)", false},
		{"//a:t (PostgreSQL 15)", "//b:t (PostgreSQL 15)", false},
	} {
		if got := label.Same(c.a, c.b); got != c.want {
			t.Errorf("Same(%q, %q) = %v, want %v", c.a, c.b, got, c.want)
		}
	}
}
