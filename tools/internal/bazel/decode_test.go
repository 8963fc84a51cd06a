package bazel_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/bazel"
)

func TestDecode(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		line string
		want bazel.Event
	}{
		{"an event of the future", `{"id":{"new":{}},"new":{"testResult":{"status":7}}}`, bazel.Event{}},
		{"no object", `7`, bazel.Event{}},
		{
			"a result with the older duration, of a remote cache",
			`{"id":{"testResult":{"label":"//x:a"}},"testResult":{"status":"FAILED","testAttemptDurationMillis":"1500",` +
				`"executionInfo":{"cachedRemotely":true,"exitCode":137},"testActionOutput":[{"name":"other","uri":"file:///o"}]}}`,
			bazel.Event{Result: &bazel.TestResult{
				Label: "//x:a", Run: 1, Shard: 1, Attempt: 1, Status: bazel.Failed, Cached: true,
				Duration: 1500 * time.Millisecond, ExitCode: 137,
			}},
		},
		{
			"a result without a status", `{"id":{"testResult":{"label":"//x:a","shard":2}},"testResult":{}}`,
			bazel.Event{Result: &bazel.TestResult{Label: "//x:a", Run: 1, Shard: 2, Attempt: 1, Status: bazel.NoStatus}},
		},
		{
			"a field whose type changed",
			`{"id":{"testSummary":{"label":"//x:a"}},"testSummary":{"shardCount":"many","overallStatus":"FLAKY"}}`,
			bazel.Event{Summary: &bazel.TestSummary{Label: "//x:a", Status: bazel.Flaky}},
		},
		{
			"success", `{"id":{"buildFinished":{}},"finished":{"overallSuccess":true,"exitCode":{"name":"SUCCESS"}}}`,
			bazel.Event{Finished: &bazel.Finished{Name: "SUCCESS"}},
		},
		{
			"a failure that says why",
			`{"id":{"buildFinished":{}},"finished":{"exitCode":{"name":"X","code":37},"failureDetail":{"message":"no disk"}}}`,
			bazel.Event{Finished: &bazel.Finished{ExitCode: 37, Name: "X", Message: "no disk"}},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := bazel.Decode([]byte(test.line))
			if err != nil {
				t.Fatalf("Decode: %v", err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("events differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDecodeBroken(t *testing.T) {
	t.Parallel()
	_, err := bazel.Decode([]byte(`{"id":{"testRes`))
	want := `decode build event "{\"id\":{\"testRes": unexpected end of JSON input`
	if err == nil || err.Error() != want {
		t.Errorf("Decode of half a line = %v, want %s", err, want)
	}
}

func TestStatusOK(t *testing.T) {
	t.Parallel()
	for status, want := range map[bazel.Status]bool{
		bazel.Passed: true, bazel.Flaky: true, bazel.Failed: false, bazel.TimedOut: false, bazel.NoStatus: false, "NEW": false,
	} {
		if got := status.OK(); got != want {
			t.Errorf("Status(%q).OK() = %v, want %v", status, got, want)
		}
	}
}
