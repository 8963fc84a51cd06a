package users_test

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestMain leaves plain go test out: the example has its schema from the rule pg_template.
func TestMain(m *testing.M) {
	if os.Getenv("PGCELL_TEMPLATE") == "" {
		fmt.Println("not run: the example's template comes from Bazel; use ./run_tests.sh tests/integration/quickstart/")
		return
	}
	m.Run()
}

// TestReadmeHasThisExample keeps what the README shows to what runs here.
func TestReadmeHasThisExample(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("users_test.go")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), "```go\n"+string(example)+"```\n") {
		t.Error("README.md does not hold users_test.go as it is; copy it there")
	}
}
