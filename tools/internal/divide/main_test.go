package divide_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/pgcell/pgcell/tools/internal/divide"
)

// hookVariable makes this test binary what "go test -exec" calls: it holds the configuration.
const hookVariable = "DIVIDE_TEST_HOOK"

func TestMain(m *testing.M) {
	config := os.Getenv(hookVariable)
	if config != "" {
		os.Exit(hook(config))
	}
	os.Exit(run(m))
}

// built is the directory of test binaries.
var built string

func run(m *testing.M) int {
	var err error
	if built, err = os.MkdirTemp("", "divide-test-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(built)
	return m.Run()
}

// suites is the module of packages to divide, in the source tree: under Bazel, BUILD.bazel is a link into it.
func suites(t *testing.T) string {
	t.Helper()
	file, err := filepath.EvalSymlinks("BUILD.bazel")
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(filepath.Dir(file), "testdata", "suites")
}

// hook divides the tests of the binary that the arguments name.
func hook(text string) int {
	c := divide.Config{
		Binary: os.Args[1], Args: os.Args[2:], Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Env: func(process int) ([]string, func(), error) {
			return []string{"PROCESS=" + strconv.Itoa(process)}, nil, nil
		},
	}
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 3
	}
	result, err := divide.Run(context.Background(), c)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	result.End()
	return 3
}
