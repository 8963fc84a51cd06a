// Package drivers has tests with lib/pq use cells, and goleak look at what pgcell leaves. It is a module of its own, so
// that nobody else has to take these.
package drivers

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// TestMain has goleak ignore what docs/troubleshooting.md says, and nothing else.
func TestMain(m *testing.M) {
	os.Setenv("PGCELL_RECYCLE", "verify") // each cell that is used again is compared with a new clone
	ignored, err := documented("../../docs/troubleshooting.md")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, ignored...)
}

// documented reads what a page says that goleak is to ignore.
func documented(page string) (ignored []goleak.Option, err error) {
	text, err := os.ReadFile(page)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "| goleak ") {
			continue
		}
		before := ""
		for _, one := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(line, -1) {
			name := one[1]
			switch {
			case strings.HasPrefix(name, "goleak.IgnoreTopFunction("):
				ignored = append(ignored, goleak.IgnoreTopFunction(strings.Split(name, `"`)[1]))
			case strings.HasPrefix(name, ".func"):
				ignored = append(ignored, goleak.IgnoreAnyFunction(before+name))
			case strings.Contains(name, "/"):
				ignored = append(ignored, goleak.IgnoreAnyFunction(name))
				before = name
			}
		}
	}
	if len(ignored) < 4 {
		return nil, fmt.Errorf("%s tells of %d goroutines for goleak to ignore, want 4 or more", page, len(ignored))
	}
	return ignored, nil
}
