package gotest_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/pgcell/pgcell/tools/internal/gotest"
)

const dumped = "    a_test.go:7: pgcell: dumped cell test_db_w0_1: pgcell/TestA_1.sql (in the directory test.outputs beside the " +
	"test's log)\n"

// kept is what the library says of a kept cell with a socket in a directory.
func kept(dir string) string {
	return "    a_test.go:7: pgcell: kept cell test_db_w0_1: psql 'postgres://u:p@/test_db_w0_1?host=" + dir + "' (its server " +
		"stays, and bazel or go test waits for it, until you press Ctrl-C or type: rm -r " + dir + ")\n"
}

func TestWithPlaces(t *testing.T) {
	t.Parallel()
	alive, outputs := t.TempDir(), t.TempDir()
	if err := os.MkdirAll(filepath.Join(outputs, "pgcell"), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(outputs, "pgcell", "TestA_1.sql"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	const at = "    a_test.go:7: pgcell: "
	for _, c := range []struct{ output, outputs, want string }{
		{dumped, outputs, at + "dumped cell test_db_w0_1: " + outputs + "/pgcell/TestA_1.sql\n"},
		{dumped, "/logs/test.outputs", at + "dumped cell test_db_w0_1: pgcell/TestA_1.sql in /logs/test.outputs\n"},
		{dumped, "/logs/test.outputs/outputs.zip",
			at + "dumped cell test_db_w0_1: pgcell/TestA_1.sql in /logs/test.outputs/outputs.zip\n"},
		{dumped, "", dumped},
		{kept(alive), "/logs", kept(alive)},
		{kept(alive+"/gone") + "    after\n", "",
			at + "cell test_db_w0_1 was kept, and has gone with its server\n    after\n"},
		{"nothing\n", "/logs", "nothing\n"},
	} {
		if got := gotest.WithPlaces(c.output, c.outputs); got != c.want {
			t.Errorf("WithPlaces(%q, %q) = %q, want %q", c.output, c.outputs, got, c.want)
		}
	}
	if got, want := gotest.KeptURLs(kept(alive)+kept(alive+"/gone")), []string{
		"postgres://u:p@/test_db_w0_1?host=" + alive}; !slices.Equal(got, want) {
		t.Errorf("KeptURLs = %q, want %q", got, want)
	}
	if got, want := gotest.Dumps(dumped), []string{"pgcell/TestA_1.sql"}; !slices.Equal(got, want) {
		t.Errorf("Dumps = %q, want %q", got, want)
	}
	if !gotest.Reachable("postgres://u@db.example:5432/x") || gotest.Reachable("postgres://u@[/x") {
		t.Error("Reachable is to know nothing of a server on TCP, and to refuse what is no URL")
	}
}
