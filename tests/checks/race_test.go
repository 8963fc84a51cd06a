package checks_test

import (
	"os/exec"
	"strings"
	"testing"
)

// raced are calls of go test for what runs in more than one goroutine: whole packages where they are quick, and of the
// cells, which take minutes under the race detector, the tests that use many at once. CONTRIBUTING says how to run all.
var raced = [][]string{
	{"./tools/internal/bazel/...", "./tools/internal/budget", "./tools/internal/results", "./tools/internal/screen",
		"./tools/internal/serial", "./tools/internal/session", "./tools/internal/shard"},
	{"-run=^(TestFiveHundredAtOnce|TestKeptConnection|TestLateCancel|TestSecondCellDoesNotWait|TestNothingGrows)$", "./tools/internal/cells"},
}

func TestRace(t *testing.T) {
	compiler, err := program(t, ".", "go", "env", "CC").Output()
	if err != nil {
		t.Fatal(err)
	}
	name, _, _ := strings.Cut(strings.TrimSpace(string(compiler)), " ")
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("the race detector needs cgo, and cgo a C compiler: %v", err)
	}
	for _, args := range raced {
		cmd := program(t, ".", "go", append([]string{"test", "-race", "-short", "-timeout=5m"}, args...)...)
		cmd.Env = append(cmd.Env, "CGO_ENABLED=1")
		if output, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, output)
		} else {
			t.Logf("\n%s", output)
		}
	}
}
