package version_test

import (
	"os"
	"regexp"
	"testing"

	"github.com/pgcell/pgcell/tools/internal/version"
)

func TestString(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../MODULE.bazel")
	if err != nil {
		t.Fatal(err)
	}
	want := "devel"
	if os.Getenv("TEST_WORKSPACE") != "" { // built by Bazel
		want = regexp.MustCompile(`(?m)^    version = "(.*)",$`).FindStringSubmatch(string(text))[1]
	}
	if got := version.String(); got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
}
