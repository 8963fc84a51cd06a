package renew

import "testing"

func TestEnsureInOrder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		at   []string // of rows of page 7
		want string
	}{
		{nil, ""},
		{[]string{"(7,5)", "(7,6)", "(7,9)"}, ""},
		{[]string{"(7,6)", "(7,5)"}, "page 7 of pg_class has no room for new versions of its rows"},
		{[]string{"(7,5)", "(8,6)"}, "page 7 of pg_class has no room for new versions of its rows"},
		{[]string{"7"}, "input does not match format"},
	} {
		var rows [][][]byte
		for _, at := range c.at {
			rows = append(rows, [][]byte{[]byte(at)})
		}
		got := ""
		if err := ensureInOrder(7, rows); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("ensureInOrder(7, %v) = %q, want %q", c.at, got, c.want)
		}
	}
}
