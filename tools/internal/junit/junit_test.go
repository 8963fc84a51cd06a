package junit_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/junit"
	"github.com/pgcell/pgcell/tools/internal/results"
)

// A shard is a testsuite, a subtest is a testcase, a dead shard is a failed one, and what was interrupted is left out.
func TestWrite(t *testing.T) {
	t.Parallel()
	shards := []*results.Shard{
		{
			Label: "//a:t", Index: 1, Total: 2, Start: time.Unix(0, 0), Duration: 1500 * time.Millisecond,
			Tests: []results.Test{
				{Name: "TestA", Duration: time.Second, Subtests: []results.Test{
					{Name: "TestA/b", Outcome: results.Failed, Output: "\x16--- FAIL: a < b\n"},
				}},
				{Name: "TestS", Outcome: results.Skipped, Output: "not here"},
				{Name: "TestI", Outcome: results.Interrupted},
			},
		},
		{Label: "//b:sh", Total: 1, Tests: []results.Test{{}}},
		{Label: "//c:t", Total: 1, Died: "died of signal 9"},
	}
	const want = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="5" failures="2" skipped="1" time="1.500">
  <testsuite name="//a:t shard 2/2" tests="3" failures="1" skipped="1" time="1.500" timestamp="1970-01-01T00:00:00">
    <testcase classname="//a:t" name="TestA" time="1.000"></testcase>
    <testcase classname="//a:t" name="TestA/b" time="0.000">
      <failure message="Failed">--- FAIL: a &lt; b&#xA;</failure>
    </testcase>
    <testcase classname="//a:t" name="TestS" time="0.000">
      <skipped message="Skipped">not here</skipped>
    </testcase>
  </testsuite>
  <testsuite name="//b:sh" tests="1" failures="0" skipped="0" time="0.000">
    <testcase classname="//b:sh" name="//b:sh" time="0.000"></testcase>
  </testsuite>
  <testsuite name="//c:t" tests="1" failures="1" skipped="0" time="0.000">
    <testcase classname="//c:t" name="//c:t" time="0.000">
      <failure message="died of signal 9"></failure>
    </testcase>
  </testsuite>
</testsuites>
`
	var got strings.Builder
	if err := junit.Write(&got, shards); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("Write differs (-want +got):\n%s", diff)
	}
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

func TestWriteFails(t *testing.T) {
	t.Parallel()
	full := errors.New("disk full")
	err := junit.Write(brokenWriter{full}, nil)
	if !errors.Is(err, full) || err.Error() != "write JUnit XML: disk full" {
		t.Errorf("Write to a full disk = %v", err)
	}
}
