package exec_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shop is a module of 20 packages that grew up with go test -p 1.
var shop = call{suite: "shop", flags: []string{"--migrations", "migrations"}}

// long says that tests which take minutes run in full: all flags on all packages, and more moments to kill at.
var long = os.Getenv("PGCELL_TEST_LONG") != ""

// goTest begins all calls of go test. Nobody reads the symbols that -w leaves out.
const goTest = "go test -vet=off -ldflags=-w "

// The packages fail when they run at once on one database. Each on its own, and each test on its own, has the verdict that
// it has alone.
func TestShop(t *testing.T) {
	t.Parallel()
	if r := onOne(t, shop, goTest+"-p 8 ./..."); r.code != 1 || !strings.Contains(r.stdout, "--- FAIL") {
		t.Errorf("at once on one database: %v; want failed tests", r)
	}
	want := verdicts(t, onOne(t, shop, goTest+"-p 1 -json ./..."), 0)
	if n := count(want, `^example.com/shop/\w+  pass$`); n != 20 {
		t.Errorf("%d packages pass one after another, want 20: %v", n, want)
	}
	for _, flags := range [][]string{nil, {"--isolate", "test", "--shards", "4"}} {
		c := shop
		c.flags = slices.Concat(shop.flags, flags)
		got := verdicts(t, c.run(t, "sh", "-c", goTest+"-json ./..."), 0)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("exec %v: verdicts (-alone +exec):\n%s", flags, diff)
		}
	}
}

// Whatever flags go test has, and however its tests end, the verdicts are those of go test -p 1 on one database.
func TestShopFlags(t *testing.T) {
	t.Parallel()
	few := "./subtests ./fails ./panics ./testmain"
	cases := []struct {
		name, args, packages string
		environ              []string
		code                 int
		whole                bool // compare runs alone in which no binary is divided
	}{
		{name: "fail", args: "-cover -coverpkg=./...", packages: few, environ: []string{"SHOP_FAIL=yes"}, code: 1, whole: true},
		{name: "count", args: "-count=2 -skip TestSkipped -run Test.*/(dear|one|TestAgain)", packages: "./subtests ./fails ./testifysuite"},
		{name: "bench", args: "-run NONE -bench . -benchtime 3x", packages: "./kinds ./libpq"},
		{name: "hang", args: "-timeout 10s -run TestPanic", packages: "./panics", environ: []string{"SHOP_FAIL=hang"}, code: 1},
	}
	if long {
		few = "./..."
		for _, args := range []string{"-cover -coverpkg=./...", "-count=2", "-shuffle=1", "-race", "-short -parallel 1", "-failfast", "-v -timeout 5m"} {
			cases = append(cases, struct {
				name, args, packages string
				environ              []string
				code                 int
				whole                bool
			}{name: args, args: args, packages: few})
		}
		cases = append(cases, cases[0])
		cases[len(cases)-1].packages = few
		fuzz := cases[2]
		fuzz.name, fuzz.args, fuzz.packages = "fuzz", "-run NONE -fuzz . -fuzztime 50x", "./kinds"
		cases = append(cases, fuzz)
	}
	for _, test := range cases {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c := shop
			c.environ = append([]string{"CGO_ENABLED=1"}, test.environ...)
			command := goTest + "'" + strings.Join(strings.Fields(test.args), "' '") + "' -json " + test.packages
			alone := onOne(t, c, strings.Replace(command, "go test", "go test -p 1", 1))
			want := verdicts(t, alone, test.code)
			for _, shards := range []string{"", "2"} {
				if shards != "" {
					c.flags = append(slices.Clone(shop.flags), "--shards", shards)
				}
				r := c.run(t, "sh", "-c", command)
				got := verdicts(t, r, test.code)
				if test.whole && shards != "" { // a panic ends the tests of one process, and others go on
					want, got = ofPackages(want), ofPackages(got)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("--shards %q: verdicts (-alone +exec):\n%s\n%v", shards, diff, r)
				}
				if diff := cmp.Diff(percentages(alone), percentages(r)); diff != "" && !(test.whole && shards != "") {
					t.Errorf("--shards %q: coverage (-alone +exec):\n%s", shards, diff)
				}
			}
		})
	}
}

// gotestsum, too, sees the packages as it does without pgcell.
func TestGotestsum(t *testing.T) {
	t.Parallel()
	c := shop
	c.environ = []string{"SHOP_FAIL=yes"}
	c.flags = append(slices.Clone(c.flags), "--shards", "2")
	file := filepath.Join(t.TempDir(), "junit.xml")
	c.run(t, "go", "tool", "gotestsum", "--junitfile", file, "--", "-vet=off", "-ldflags=-w", "./subtests", "./fails", "./kinds").
		ensure(t, 1, "DONE 15 tests, 2 skipped, 2 failures", "FAIL: fails TestWrong/one")
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), `<testsuites tests="15" failures="2"`) {
		t.Errorf("the JUnit file is %s, %v; want 15 tests and 2 failures", text, err)
	}
}

// verdicts reads what go test -json says, which has to end with an exit code: how often a test, or a package, had a
// verdict.
func verdicts(t *testing.T, r result, code int) map[string]int {
	t.Helper()
	r.ensure(t, code)
	all := map[string]int{}
	for line := range strings.Lines(r.stdout) {
		var event struct{ Action, Package, Test string }
		if err := json.Unmarshal([]byte(line), &event); err != nil {
			t.Fatalf("%q is no event: %v\n%v", line, err, r)
		}
		if slices.Contains([]string{"pass", "fail", "skip", "bench"}, event.Action) {
			all[fmt.Sprintf("%s %s %s", event.Package, event.Test, event.Action)]++
		}
	}
	return all
}

// count counts the verdicts that match a pattern.
func count(verdicts map[string]int, pattern string) (n int) {
	for verdict := range ofPattern(verdicts, pattern) {
		n += verdicts[verdict]
	}
	return n
}

func ofPattern(verdicts map[string]int, pattern string) map[string]int {
	some := map[string]int{}
	for verdict, n := range verdicts {
		if regexp.MustCompile(pattern).MatchString(verdict) {
			some[verdict] = n
		}
	}
	return some
}

// ofPackages leaves the tests out.
func ofPackages(verdicts map[string]int) map[string]int { return ofPattern(verdicts, `^\S+  `) }

// percentages gives what the packages cover.
func percentages(r result) []string {
	return slices.Sorted(slices.Values(regexp.MustCompile(`coverage: [\d.]+%`).FindAllString(r.stdout, -1)))
}
