package shard_test

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/shard"
)

// matcher says if testing would run a test or subtest: a model of its own filter, of Go's src/testing/match.go.
func matcher(run, skip string) func(full string) bool {
	runs, skips := sides(run), sides(skip)
	return func(full string) bool {
		path := strings.Split(full, "/")
		for depth := 1; depth <= len(path); depth++ { // a subtest runs where its parents do
			match := func(side []*regexp.Regexp) bool {
				for i, element := range side[:min(len(side), depth)] {
					if !element.MatchString(path[i]) {
						return false
					}
				}
				return true
			}
			whole := func(side []*regexp.Regexp) bool { return len(side) <= depth && match(side) }
			if run != "" && !slices.ContainsFunc(runs, match) || skip != "" && slices.ContainsFunc(skips, whole) {
				return false
			}
		}
		return true
	}
}

// sides gives the sides of a pattern, each with its elements.
func sides(pattern string) [][]*regexp.Regexp {
	var all [][]*regexp.Regexp
	for _, side := range cut(pattern, '|') {
		var elements []*regexp.Regexp
		for _, element := range cut(side, '/') {
			elements = append(elements, regexp.MustCompile(element))
		}
		all = append(all, elements)
	}
	return all
}

// cut splits at a character outside of brackets and parentheses.
func cut(s string, at rune) []string {
	parts, depth, class := []string{""}, 0, false
	for _, c := range s {
		switch {
		case c == '[':
			class = true
		case c == ']':
			class = false
		case class:
		case c == '(':
			depth++
		case c == ')':
			depth--
		}
		if c == at && depth == 0 && !class {
			parts = append(parts, "")
			continue
		}
		parts[len(parts)-1] += string(c)
	}
	return parts
}

func TestNarrow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ run, skip, tests, wantRun, wantSkip string }{
		{"", "", "TestA TestB", "^(TestA|TestB)$", ""},
		{"", "", "", "^$", ""},
		{"TestA", "", "TestA TestAB TestB", "^(TestA|TestAB)$", ""},
		{"TestC", "", "TestA TestB", "^$", ""},
		{"^TestA$/^sub$", "", "TestA TestB", "^(TestA)$/^sub$", ""},
		{"TestA/x/y|TestB", "", "TestA TestB", "^(TestA)$/x/y|^(TestB)$", ""},
		{"A|Test/sub", "", "TestA TestB TestC", "^(TestA)$|^(TestA)$/sub|^(TestB|TestC)$/sub", ""},
		{"", "B", "TestA TestB", "^(TestA)$", ""},
		{"", "TestA/sub|B", "TestA TestB", "^(TestA)$", "TestA/sub"},
		{"a[/|]b|A", "", "TestA", "^(TestA)$", ""},
		{`Test\|A|(Te/st|A)`, "", "TestA", "^(TestA)$", ""},
		{"/sub", "", "TestA TestB", "^(TestA|TestB)$/sub", ""},
	} {
		f, err := shard.ParseFilter(c.run, c.skip)
		if err != nil {
			t.Errorf("ParseFilter(%q, %q): %v", c.run, c.skip, err)
			continue
		}
		if run, skip := f.Narrow(strings.Fields(c.tests)); run != c.wantRun || skip != c.wantSkip {
			t.Errorf("-run %q -skip %q narrowed to %s: -run %q -skip %q, want -run %q -skip %q",
				c.run, c.skip, c.tests, run, skip, c.wantRun, c.wantSkip)
		}
	}
}

func TestWrongFilter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ run, skip, want string }{
		{"Test(", "", "read -test.run=\"Test(\": error parsing regexp: missing closing ): `Test(`"},
		{"", "A/[", "read -test.skip=\"A/[\": error parsing regexp: missing closing ]: `[`"},
	} {
		if _, err := shard.ParseFilter(c.run, c.skip); err == nil || err.Error() != c.want {
			t.Errorf("ParseFilter(%q, %q) = %v, want %s", c.run, c.skip, err, c.want)
		}
	}
}

func TestParseArgs(t *testing.T) {
	t.Parallel()
	type args struct {
		Run, Skip, Rest string
		List            bool
	}
	for line, want := range map[string]args{
		"":                               {"none", "none", "", false},
		"-test.v=test2json -x":           {"none", "none", "-test.v=test2json -x", false},
		"-test.run=A -test.v":            {"A", "none", "-test.v", false},
		"--test.run A -test.skip B -y 1": {"A", "B", "-y 1", false},
		"-test.run=A -test.run=B":        {"B", "none", "", false},
		"-test.run=A=B":                  {"A=B", "none", "", false},
		"-test.run=":                     {"", "none", "", false},
		"-x -- -test.run=A":              {"none", "none", "-x -- -test.run=A", false},
		"test.run=A":                     {"none", "none", "test.run=A", false},
		"-test.list=. -test.run":         {"", "none", "-test.list=.", true},
	} {
		a := shard.ParseArgs(strings.Fields(line))
		got := args{"none", "none", strings.Join(a.Rest, " "), a.List}
		if a.Run != nil {
			got.Run = *a.Run
		}
		if a.Skip != nil {
			got.Skip = *a.Skip
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("ParseArgs(%q) (-want +got):\n%s", line, diff)
		}
	}
}

func TestFilters(t *testing.T) {
	t.Parallel()
	for filter, want := range map[string][2]string{
		"": {}, "A": {"A", ""}, "A,B/c": {"A|B/c", ""}, "-A,B": {"B", "A"}, "-A,-B": {"", "A|B"},
	} {
		if run, skip := shard.Filters(filter); run != want[0] || skip != want[1] {
			t.Errorf("Filters(%q) = %q, %q, want %q, %q", filter, run, skip, want[0], want[1])
		}
	}
}

// Listed reads what a real test binary says, this one, and leaves out what others print.
func TestListed(t *testing.T) {
	t.Parallel()
	got := shard.Listed("Testing the database\nTestA\nBenchmarkB\nExampleC_suffix\r\nFuzzD\nTest.txt\nPASS\nTestÄ")
	if diff := cmp.Diff([]string{"TestA", "ExampleC_suffix", "FuzzD", "TestÄ"}, got); diff != "" {
		t.Errorf("Listed (-want +got):\n%s", diff)
	}
	output, err := exec.Command(mustExecutable(t), "-test.list=.").Output()
	if err != nil {
		t.Fatal(err)
	}
	names := shard.Listed(string(output))
	if !slices.Contains(names, "TestListed") || !slices.Contains(names, "ExampleWorker") {
		t.Errorf("Listed of this binary = %v, want TestListed and ExampleWorker among them", names)
	}
}
