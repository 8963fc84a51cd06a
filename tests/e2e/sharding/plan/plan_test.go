// Package plan_test is a suite with all that Go's testing knows, divided among 4 shards by the times in
// pgcell_times.txt.
package plan_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/pgcell/pgcell/tools/pgcell"
)

func TestMain(m *testing.M) {
	if os.Getenv("PGCELL_LISTING") == "" {
		fmt.Println("TESTMAIN of", pgcell.Worker())
	}
	os.Exit(m.Run())
}

func TestCell(t *testing.T) {
	if _, err := pgcell.New(t).Pool().Exec(t.Context(), "INSERT INTO notes VALUES (1)"); err != nil {
		t.Error(err)
	}
}

func TestLong(*testing.T) {}

func TestSubtests(t *testing.T) {
	t.Run("x", func(*testing.T) {})
	t.Run("y", func(*testing.T) {})
}

// A child of the test binary runs the test that it is asked for, whichever shard that is in, and says the same worker.
func TestWorker(t *testing.T) {
	child := exec.Command(os.Args[0], "-test.run=^TestLong$", "-test.v")
	output, err := child.CombinedOutput()
	if err != nil {
		t.Errorf("%v: %s", err, output)
	}
	fmt.Printf("CHILD\n%s", output)
}

func Example_greet() {
	fmt.Println("hello")
	// Output: hello
}

func FuzzSeeds(f *testing.F) {
	f.Add("a")
	f.Fuzz(func(*testing.T, string) {})
}

// TestFirstAttempt has no recorded time. It fails at the first attempt where FLAKY names a file to remember it by.
func TestFirstAttempt(t *testing.T) {
	mark := os.Getenv("FLAKY")
	if mark == "" {
		return
	}
	if _, err := os.Stat(mark); err != nil {
		if err := os.WriteFile(filepath.Clean(mark), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		t.Error("the first attempt fails")
	}
}

// Five that fail where FAIL is set. In 4 shards, two of them are in one: with fail-fast, the second one does not run.
func TestZ1(t *testing.T) { failOnDemand(t) }
func TestZ2(t *testing.T) { failOnDemand(t) }
func TestZ3(t *testing.T) { failOnDemand(t) }
func TestZ4(t *testing.T) { failOnDemand(t) }
func TestZ5(t *testing.T) { failOnDemand(t) }

func failOnDemand(t *testing.T) {
	t.Helper()
	if os.Getenv("FAIL") != "" {
		t.Error("red on demand")
	}
}
