package selection_test

import (
	"testing"

	"github.com/pgcell/pgcell/tools/internal/selection"
)

func TestCovers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, label string
		want           bool
	}{
		{"//...", "//a/b:t", true}, {"//a/...", "//a:t", true}, {"//a/...", "//a/b:t", true}, {"//a/...", "//ab:t", false},
		{"//a:all", "//a:t", true}, {"//a:all", "//a/b:t", false}, {"//a:t", "//a:t", true}, {"//a:t", "//a:u", false},
		{"//a/t", "//a/t:t", true}, {"//a/t", "@@//a/t:t", true}, {"//a/t", "//a:t", false},
	} {
		if got := selection.Covers(c.pattern, c.label); got != c.want {
			t.Errorf("Covers(%s, %s) = %v, want %v", c.pattern, c.label, got, c.want)
		}
	}
}

func TestFilter(t *testing.T) {
	t.Parallel()
	inv := selection.Invocation{Names: []string{"TestA", "TestB/c,d e.f"}}
	if got, want := inv.Filter(), `^TestA$,^TestB$/^c.d e\.f$`; got != want {
		t.Errorf("Filter() = %s, want %s", got, want)
	}
}
