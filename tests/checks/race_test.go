package checks_test

import (
	"os/exec"
	"strings"
	"testing"
)

// raced are the library and what it is made of: all that test processes run in more than one goroutine.
var raced = []string{"./tools/pgcell/...", "./tools/internal/..."}

// notRaced are tests that compare a cell with a fresh clone again and again, in one goroutine, which takes minutes under
// the race detector; and one that counts on an answer within 10 ms.
const notRaced = "^(TestSeededTableIsAsInAFreshClone|TestRandom|TestTerminateByRole|TestClonesShareRelationCache|" +
	"TestDeadlinePassed|TestTwoThousandTestsAreQuick)$"

func TestRace(t *testing.T) {
	compiler, err := program(t, ".", "go", "env", "CC").Output()
	if err != nil {
		t.Fatal(err)
	}
	name, _, _ := strings.Cut(strings.TrimSpace(string(compiler)), " ")
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("the race detector needs cgo, and cgo a C compiler: %v", err)
	}
	// With -short, what takes long for its own sake is left out.
	cmd := program(t, ".", "go", append([]string{"test", "-race", "-short", "-skip=" + notRaced, "-timeout=15m"}, raced...)...)
	cmd.Env = append(cmd.Env, "CGO_ENABLED=1")
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", strings.Join(cmd.Args, " "), err, output)
	} else {
		t.Logf("\n%s", output)
	}
}
