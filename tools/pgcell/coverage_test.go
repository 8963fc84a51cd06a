package pgcell_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

func TestCoverageChild(t *testing.T) {
	if os.Getenv(coverageEnv) == "" {
		t.Skip("runs as a child of TestChildrenHaveCoverageFiles alone")
	}
	fmt.Println("FILE", os.Getenv("COVERAGE_OUTPUT_FILE"))
}

const coverageEnv = "PGCELL_TEST_COVERAGE"

// Several processes that write one file garble it: rules_go's main then fails with "invalid go cover line".
func TestChildrenHaveCoverageFiles(t *testing.T) {
	t.Parallel()
	file, dir := filepath.Join(t.TempDir(), "coverage.dat"), t.TempDir()
	run := func(variables ...string) string {
		cmd := exec.Command(os.Args[0], "-test.run=^TestCoverageChild$")
		cmd.Env = append(os.Environ(), coverageEnv+"=1", "COVERAGE_OUTPUT_FILE="+file, "COVERAGE_DIR="+dir)
		cmd.Env = append(cmd.Env, variables...)
		output, err := cmd.CombinedOutput()
		found := regexp.MustCompile(`(?m)^FILE (.*)$`).FindSubmatch(output)
		if err != nil || found == nil {
			t.Fatalf("the child ended with %v, output:\n%s", err, output)
		}
		return string(found[1])
	}
	if got := run("GO_TEST_WRAP=0", "PGCELL_COVERED="); got != file {
		t.Errorf("the first process writes %s, want %s", got, file)
	}
	first, second := run("GO_TEST_WRAP=0", "PGCELL_COVERED=1"), run("GO_TEST_WRAP=0", "PGCELL_COVERED=1")
	if first == second || filepath.Dir(first) != dir || filepath.Dir(second) != dir {
		t.Errorf("two children write %s and %s, want two files in %s", first, second, dir)
	}
}
