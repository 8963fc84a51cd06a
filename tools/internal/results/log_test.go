package results_test

import (
	"errors"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/results"
)

func TestReadLog(t *testing.T) {
	t.Parallel()
	const log = "Executing tests from //x:y_test\n" +
		"\x16=== RUN   TestA\n" +
		"\x16=== RUN   TestA/sub\n" +
		"    a_test.go:3: --- PASS: said by the test (0.00s)\n" +
		"\x16--- PASS: TestA (1.50s)\n" +
		"    \x16--- PASS: TestA/sub (0.25s)\n" +
		"--- SKIP: TestB (0.00s)\n" +
		"--- FAIL: TestC (0.00s)\n" +
		"\x16=== RUN   TestUnfinished\n" +
		"FAIL"
	got, err := results.ReadLog(strings.NewReader(log))
	if err != nil {
		t.Fatalf("ReadLog: %v", err)
	}
	want := []results.Test{
		{Name: "TestA", Duration: 1500 * time.Millisecond,
			Subtests: []results.Test{{Name: "TestA/sub", Duration: 250 * time.Millisecond}}},
		{Name: "TestB", Outcome: results.Skipped},
		{Name: "TestC", Outcome: results.Failed},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tests differ (-want +got):\n%s", diff)
	}
}

func TestReadLogError(t *testing.T) {
	t.Parallel()
	broken := errors.New("disk on fire")
	_, err := results.ReadLog(iotest.ErrReader(broken))
	if !errors.Is(err, broken) || err.Error() != "read the tests of a log: disk on fire" {
		t.Errorf("ReadLog of a broken reader = %v", err)
	}
}
