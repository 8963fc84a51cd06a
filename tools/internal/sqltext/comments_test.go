package sqltext_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/sqltext"
)

func TestLineComments(t *testing.T) {
	t.Parallel()
	for between, want := range map[string][]int{
		"":                              nil,
		" -- a -- b\n;--c":              {1, 12},
		"/* -- a\n/* -- b */ -- c */--": {26},
		"--a\r\n/* -- b":                {0},
	} {
		if diff := cmp.Diff(want, sqltext.LineComments(between)); diff != "" {
			t.Errorf("LineComments(%q) (-want +got):\n%s", between, diff)
		}
	}
}
