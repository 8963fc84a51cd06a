package results_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/results"
)

func TestReadJUnit(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		xml  string
		want []results.Test
	}{
		{
			name: "no tests",
			xml:  `<testsuites></testsuites>`,
		},
		{
			name: "subtests of every depth belong to their test, wherever they stand",
			xml: `<testsuites><testsuite>
				<testcase name="TestA/b" time="0.5"/><testcase name="TestA" time="1.25"/><testcase name="TestA/b/c"/>
			</testsuite></testsuites>`,
			want: []results.Test{{
				Name: "TestA", Duration: 1250 * time.Millisecond,
				Subtests: []results.Test{{Name: "TestA/b", Duration: 500 * time.Millisecond}, {Name: "TestA/b/c"}},
			}},
		},
		{
			name: "a name with a slash and no parent is a test",
			xml:  `<testsuites><testsuite><testcase name="x/y_test"/></testsuite></testsuites>`,
			want: []results.Test{{Name: "x/y_test"}},
		},
		{
			name: "outcomes",
			xml: `<testsuites><testsuite>
				<testcase name="TestF"><failure message="Failed">a_test.go:1: no</failure></testcase>
				<testcase name="TestM"><failure message="assertion failed"> </failure></testcase>
				<testcase name="TestS"><skipped message="Skipped">a_test.go:2: later</skipped></testcase>
				<testcase name="TestE"><error message="No pass/skip/fail event found for test">before</error></testcase>
				<testcase name="TestI"><error message="Interrupted">TestI (2s)</error></testcase>
				<testcase name="x"><error message="exited with error code 3"></error></testcase>
			</testsuite></testsuites>`,
			want: []results.Test{
				{Name: "TestF", Outcome: results.Failed, Output: "a_test.go:1: no"},
				{Name: "TestM", Outcome: results.Failed, Output: "assertion failed"},
				{Name: "TestS", Outcome: results.Skipped, Output: "a_test.go:2: later"},
				{Name: "TestE", Outcome: results.Failed,
					Output: "(no result: the test was running when its process ended)\nbefore"},
				{Name: "TestI", Outcome: results.Failed,
					Output: "(no result: the test was running when its time was up)\nTestI (2s)"},
				{Name: "x", Outcome: results.Failed, Output: "exited with error code 3"},
			},
		},
		{
			name: "a panic, and tests that it ended",
			xml: `<testsuites><testsuite>
				<testcase name="TestP"><failure message="Failed">panic: assignment to entry in nil map [recovered]</failure></testcase>
				<testcase name="TestW"><error message="No pass/skip/fail event found for test">=== PAUSE TestW</error></testcase>
				<testcase name="TestF"><failure message="Failed">a_test.go:1: no</failure></testcase>
			</testsuite></testsuites>`,
			want: []results.Test{
				{Name: "TestP", Outcome: results.Failed, Output: "panic: assignment to entry in nil map [recovered]"},
				{Name: "TestW", Outcome: results.Interrupted,
					Output: "(no result: the test was running when its process ended)\n=== PAUSE TestW"},
				{Name: "TestF", Outcome: results.Failed, Output: "a_test.go:1: no"},
			},
		},
		{
			name: "nested suites, attributes and elements of other tools",
			xml: `<?xml version="1.0" encoding="UTF-8"?>
				<testsuite><properties><property name="a" value="b"/></properties>
				<testsuite><testcase name="test_x" line="3"><system-out>hello</system-out></testcase></testsuite></testsuite>`,
			want: []results.Test{{Name: "test_x"}},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := results.ReadJUnit(strings.NewReader(test.xml))
			if err != nil {
				t.Fatalf("ReadJUnit: %v", err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("tests differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestReadJUnitBroken(t *testing.T) {
	t.Parallel()
	for xml, want := range map[string]string{
		"":                                    "read JUnit XML: the file is empty",
		"<testsuites><testsuite>":             "read JUnit XML: XML syntax error on line 1: unexpected EOF",
		`<testsuites><testcase name="TestA">`: "read JUnit XML: XML syntax error on line 1: unexpected EOF",
		"died before XML":                     "read JUnit XML: the file is empty",
	} {
		_, err := results.ReadJUnit(strings.NewReader(xml))
		if err == nil || err.Error() != want {
			t.Errorf("ReadJUnit(%q) = %v, want %s", xml, err, want)
		}
	}
}
