package e2e_test

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tests/internal/nested"
)

// TestExplain edits a migration, then changes a variable, and adds a test: "pgcell explain" names what was changed, and
// nothing else.
func TestExplain(t *testing.T) {
	const label = "//:smoke_test"
	dir, home := cloneOf(t, "smoke"), t.TempDir()
	call := func(args ...string) string {
		t.Helper()
		cmd := pgcellIn(t, dir, args...)
		cmd.Env = append(cmd.Env, "XDG_CACHE_HOME="+home)
		output, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("pgcell %s: %v\n%s", strings.Join(args, " "), err, output)
		}
		return string(output)
	}
	// A digest that no cache knows, in every run of this test.
	unique := fmt.Sprint(time.Now().UnixNano())
	edit := func(file, text string) {
		t.Helper()
		path := filepath.Join(dir, file)
		nested.MustWrite(t, path, nested.MustRead(t, path)+"\n"+text+"\n")
	}
	ensureExplained := func(want ...string) {
		t.Helper()
		output := call("explain", label)
		_, found, _ := strings.Cut(output, "What differs:\n")
		var got []string
		for line := range strings.Lines(found) {
			got = append(got, strings.TrimSpace(line))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("explained (-want +got):\n%s\nthe output:\n%s", diff, output)
		}
	}

	// What is built only here is executed here: other tests of this package have built the workspace as it is.
	edit("migrations/002_transfers.sql", "-- "+unique)
	edit("smoke_test.go", "func TestFirst"+unique+"(*testing.T) {}")
	call("run", label)
	if output, alone := call("explain", label), regexp.MustCompile(`No execution before that is kept`); !alone.MatchString(output) {
		t.Errorf("after one run: %s\nwant it to match %s", output, alone)
	}
	edit("migrations/001_accounts.sql", "-- "+unique)
	call("run", label)
	ensureExplained("file migrations/001_accounts.sql changed (through //:template)")

	call("run", label, "--", "--test_env=COLOUR="+unique, "--test_env=API_TOKEN="+unique)
	ensureExplained(`variable API_TOKEN added: "***"`, fmt.Sprintf("variable COLOUR added: %q", unique))

	call("run", label, "--", "--test_env=COLOUR="+unique, "--test_env=API_TOKEN="+unique)
	if output := call("explain", label); !strings.HasPrefix(output, "in the last run its result came from a cache; ") {
		t.Errorf("after a cached run: %s", output)
	}

	edit("smoke_test.go", "func TestAdded"+unique+"(*testing.T) {}")
	call("run", label, "--", "--test_env=COLOUR="+unique, "--test_env=API_TOKEN="+unique)
	ensureExplained("file smoke_test.go changed")
}
