// Bazel makes a second suite of this file, on the same template.

package users_test

import (
	"testing"

	"github.com/pgcell/pgcell/tools/pgcell"
)

func TestName(t *testing.T) {
	var got string
	if err := pgcell.New(t).DB().QueryRow("SELECT name FROM users WHERE id = 7").Scan(&got); err != nil {
		t.Fatal(err)
	}
	if got != "user 7" {
		t.Errorf("user 7 is called %q", got)
	}
}
