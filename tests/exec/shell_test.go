package exec_test

import (
	"slices"
	"testing"
)

// The test files of a script have databases of their own if their command line tells them apart.
func TestShell(t *testing.T) {
	t.Parallel()
	c := call{suite: "shell", flags: []string{"--migrations", "migrations"}}
	if r := onOne(t, c, "sh suite.sh"); r.code != 1 {
		t.Errorf("on one database: %v; want a failed test", r)
	}
	c.run(t, "sh", "suite.sh").ensure(t, 1) // a script is no runner that pgcell knows
	own := c
	own.flags = append(slices.Clone(c.flags), "--worker", `^sh test_\w+\.sh`)
	own.run(t, "sh", "suite.sh").ensure(t, 0)
	own.flags = append(slices.Clone(c.flags), "--split", "test_*.sh", "--shards", "2")
	own.run(t, "sh", "{}").ensure(t, 0)
}
