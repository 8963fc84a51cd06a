//go:build linux

package cache_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// stage is what a fault happens on: a cache that machine A has filled with two states of the workspace, and machine B,
// which has compiled the libraries and has one of the states.
type stage struct {
	b      *machine
	filled string // the server's files; they stay as they are
	nginx  *nginx
	proxy  *proxy
	state  int // of machine B, 0 or 1
	known  [2]int
}

// row is a line of the table of faults.
type row struct {
	name string
	// arrange makes the fault. The cache is whole before, and the proxy harmless.
	arrange func(t *testing.T, s *stage)
	// newTests has the tests be unknown to the cache, so that they run on its templates; newAll templates as well, so
	// that all has to be put into the cache.
	newTests, newAll bool
	whole            bool // the cache is as it should be: no warning
}

var rows = []row{
	{name: "none", whole: true, arrange: func(*testing.T, *stage) {}},
	{name: "none, all is new", whole: true, newAll: true, arrange: func(*testing.T, *stage) {}},
	{name: "blobs lost", arrange: loseBlobs},
	{name: "blobs lost, tests are new", newTests: true, arrange: loseBlobs},
	{name: "server dead at the start", arrange: func(t *testing.T, s *stage) {
		s.b.cache = "http://127.0.0.1:" + freePort(t)
	}},
	{name: "server killed in mid-run", arrange: func(_ *testing.T, s *stage) {
		s.proxy.set(fault{after: 12, then: s.nginx.stop})
	}},
	{name: "HTTP 500", arrange: proxyDoes(fault{status: http.StatusInternalServerError})},
	{name: "HTTP 403", arrange: proxyDoes(fault{status: http.StatusForbidden})},
	{name: "black hole", arrange: proxyDoes(fault{hole: true})},
	{name: "100 ms and 1 MB/s", arrange: proxyDoes(fault{slow: true})},
	{name: "100 ms and 1 MB/s, all is new", newAll: true, arrange: proxyDoes(fault{slow: true})},
	{name: "damaged test.xml", arrange: func(t *testing.T, s *stage) {
		damage(t, s.nginx.data, "cas", func(text string) bool { return strings.Contains(text, "<testsuite") })
	}},
	{name: "damaged results (ac)", arrange: func(t *testing.T, s *stage) {
		damage(t, s.nginx.data, "ac", func(string) bool { return true })
	}},
	{name: "damaged golden cluster", newTests: true, arrange: func(t *testing.T, s *stage) {
		damage(t, s.nginx.data, "cas", isGolden)
	}},
	{name: "damaged golden cluster in a disk cache", newTests: true, arrange: damageDiskCache},
	{name: "credentials for reading", newAll: true, arrange: proxyDoes(fault{readOnly: true})},
}

func proxyDoes(f fault) func(*testing.T, *stage) {
	return func(_ *testing.T, s *stage) { s.proxy.set(f) }
}

// loseBlobs removes four of five blobs, and no result that refers to them.
func loseBlobs(t *testing.T, s *stage) {
	n := 0
	walk(t, s.nginx.data, func(path string) {
		if n++; filepath.Base(filepath.Dir(path)) == "cas" && n%5 != 0 {
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// damageDiskCache gives the machine a disk cache that holds the templates, damaged, and no remote cache.
func damageDiskCache(t *testing.T, s *stage) {
	t.Helper()
	dir := t.TempDir()
	s.b.more = []string{"--disk_cache=" + dir}
	s.b.cache = ""
	s.toKnown(t)
	s.b.test(t).EnsureSuccess(t)
	s.toKnown(t)
	s.b.test(t).EnsureSuccess(t)
	damage(t, dir, "cas", isGolden)
	s.toKnown(t) // not what the machine has
}

// newStage makes the machines, fills the cache, and has B build one of the states, without the cache.
func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{filled: serverData(t), known: [2]int{newState(), newState()}}
	n := startNginx(t, s.filled)
	a := newMachine(t, "a", false)
	a.cache = n.url()
	for _, state := range s.known {
		a.setState(t, state, state)
		a.test(t).EnsureSuccess(t)
	}
	s.b = newMachine(t, "b", true)
	s.b.cache = n.url() // for the libraries
	s.b.setState(t, newState(), newState())
	s.b.test(t).EnsureSuccess(t)
	n.stop()

	data := filepath.Join(filepath.Dir(s.filled), filepath.Base(s.filled)+"-faults")
	t.Cleanup(func() { os.RemoveAll(data) })
	mustCopy(t, s.filled, data)
	s.nginx = startNginx(t, data)
	s.proxy = startProxy(t, s.nginx)
	return s
}

// toKnown brings the machine to the state, of the two, that it did not have last.
func (s *stage) toKnown(t *testing.T) {
	t.Helper()
	s.state = 1 - s.state
	s.b.setState(t, s.known[s.state], s.known[s.state])
}

// reset takes the fault away.
func (s *stage) reset(t *testing.T) {
	t.Helper()
	mustCopy(t, s.filled, s.nginx.data)
	s.nginx.start(t)
	s.proxy.set(fault{})
	s.b.cache, s.b.more = s.proxy.URL, nil
}

// run makes one run with a fault.
func (s *stage) run(t *testing.T, r row, c command) outcome {
	t.Helper()
	s.reset(t)
	s.toKnown(t)
	r.arrange(t, s)
	switch {
	case r.newAll:
		s.b.setState(t, newState(), newState())
	case r.newTests:
		s.b.setState(t, s.known[s.state], newState())
	}
	return c(t, s.b)
}

// A run with a fault may take so much longer than one without a cache. The aim is 30 s; the machine may be busy.
const patience = 90 * time.Second

// TestFaults has each fault happen to each command: exit code 0, and the counts of a run without a cache. It prints the
// table.
func TestFaults(t *testing.T) {
	if !wantsAll() {
		t.Skip("//tests/cache:faults_test runs it")
	}
	s := newStage(t)
	commands := []struct {
		name string
		run  command
	}{{"bazel test", bazelTest}, {"pgcell run", pgcellRun}}
	var table strings.Builder
	table.WriteString("| fault | command | exit code | counts | seconds | over no cache | warnings |\n" +
		"|---|---|---|---|---|---|---|\n")
	for _, c := range commands {
		base := s.run(t, row{newAll: true, arrange: func(_ *testing.T, s *stage) { s.b.cache = "" }}, c.run)
		if base.code != 0 || base.counts != allPassed {
			t.Fatalf("%s without a cache: exit code %d, %q, want 0, %q:\n%s",
				c.name, base.code, base.counts, allPassed, base.output)
		}
		fmt.Fprintf(&table, "| no cache | %s | %d | %s | %.1f | | |\n", c.name, base.code, base.counts, base.took.Seconds())
		for _, r := range rows {
			t.Run(r.name+"/"+c.name, func(t *testing.T) {
				got := s.run(t, r, c.run)
				warnings := strings.Count(got.output, "WARNING: Remote Cache")
				line := fmt.Sprintf("| %s | %s | %d | %s | %.1f | %+.1f | %d |", r.name, c.name, got.code, got.counts,
					got.took.Seconds(), (got.took - base.took).Seconds(), warnings)
				t.Log(line)
				table.WriteString(line + "\n")
				if got.code != 0 || got.counts != allPassed {
					t.Errorf("exit code %d, %q, want 0, %q:\n%s", got.code, got.counts, allPassed, got.output)
				}
				if got.took > base.took+patience {
					t.Errorf("took %v, without a cache %v:\n%s", got.took, base.took, got.output)
				}
				if r.whole && warnings > 0 {
					t.Errorf("%d warnings, want none:\n%s", warnings, got.output)
				}
				ensureQuiet(t, c.name, got.output, warnings)
			})
		}
	}
	t.Run("a failing test fails", s.ensureFailure)
	t.Logf("\n%s", table.String())
}

// ensureQuiet asserts that pgcell run says in one line what Bazel says in many.
func ensureQuiet(t *testing.T, command, output string, warnings int) {
	t.Helper()
	if command != "pgcell run" {
		return
	}
	for _, noise := range []string{"<html", "<title>", "</p>", "com.google.devtools"} {
		if strings.Contains(output, noise) {
			t.Errorf("the output has %q:\n%s", noise, output)
		}
	}
	if warnings > 1 {
		t.Errorf("%d warnings about the cache, want one:\n%s", warnings, output)
	}
}

// ensureFailure has a test fail while the cache is broken.
func (s *stage) ensureFailure(t *testing.T) {
	for name, c := range map[string]struct {
		run  command
		code int
	}{"bazel test": {bazelTest, 3}, "pgcell run": {pgcellRun, 1}} {
		s.reset(t)
		s.proxy.set(fault{status: http.StatusInternalServerError})
		s.toKnown(t)
		s.b.setTests(t, "orders/orders", fmt.Sprintf("func TestState%d(t *testing.T) { t.Error(\"red\") }\n", newState()))
		got := c.run(t, s.b)
		const want = "7 passed, 1 failed, 1 skipped"
		if got.code != c.code || got.counts != want {
			t.Errorf("%s: exit code %d, %q, want %d, %q:\n%s", name, got.code, got.counts, c.code, want, got.output)
		}
	}
}
