//go:build linux

package cache_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tests/internal/nested"
)

// machine is a developer's machine, or one of CI: a clone of the workspace "caching", with an output base, a home and,
// where the kernel allows it, a user of its own. It has no disk cache.
type machine struct {
	dir   string
	bazel nested.Bazel
	cache string   // address of the remote cache; empty for none
	more  []string // flags for Bazel
}

// suites are the tests of the workspace.
const (
	usersTest, namesTest, ordersTest = "//users:users_test", "//users:names_test", "//orders:orders_test"
	allShards                        = 5
	// What all tests come to, in each state of the workspace.
	allPassed = "8 passed, 0 failed, 1 skipped"
)

// newMachine makes a machine, once: later calls give the same one. Its output base stays between runs of this test, for
// the sake of the modules that Bazel fetched; what Bazel built does not.
func newMachine(t *testing.T, name string, other bool) *machine {
	t.Helper()
	if m := machines[name]; m != nil {
		return m
	}
	base, err := nested.DefaultOutputBase()
	if err != nil {
		t.Fatal(err)
	}
	m := &machine{
		dir:   filepath.Join(scratch, name, "workspace"),
		bazel: nested.Bazel{OutputBase: base + "-" + name, LogSpawns: true, MaxIdle: 10 * time.Minute},
	}
	nested.MustClone(t, "caching", m.dir)
	if other {
		m.bazel.Home = base + "-home"
		m.bazel.OutputBase = filepath.Join(m.bazel.Home, "output") // which tools/bazel shows to Bazel along with the home
		m.bazel.Env = []string{"USER=other"}
		if err := os.MkdirAll(m.bazel.Home, 0o755); err != nil {
			t.Fatal(err)
		}
		m.bazel.Attr = otherUser(t)
	}
	m.bazel.Run(t, m.dir, "clean").EnsureSuccess(t)
	machines[name] = m
	return m
}

// machines are those that there are.
var machines = map[string]*machine{}

// otherUser has a process be user 1234 in a user namespace. All programs that it starts see an ordinary user of that
// number, who owns what the real user owns. It is nil where that is forbidden.
func otherUser(t *testing.T) *syscall.SysProcAttr {
	t.Helper()
	attr := &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 1234, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 1234, HostID: os.Getgid(), Size: 1}},
	}
	// tools/bazel and the sandbox make further namespaces, as an ordinary user's do.
	try := exec.Command("unshare", "--user", "--map-root-user", "--mount", "true")
	try.SysProcAttr = attr
	if out, err := try.CombinedOutput(); err != nil {
		t.Logf("machine B has the same user as A, since user namespaces are forbidden here: %v: %s", err, out)
		return nil
	}
	return attr
}

func (m *machine) flags() []string {
	return append([]string{"--disk_cache=", "--config=remote-cache", "--remote_cache=" + m.cache}, m.more...)
}

// test runs all tests.
func (m *machine) test(t *testing.T, args ...string) nested.Result {
	t.Helper()
	return m.bazel.Run(t, m.dir, "test", append(append(m.flags(), args...), "//...")...)
}

// setState edits the machine's workspace: another state of the templates is another table in each, another state of the
// tests another test in each suite.
func (m *machine) setState(t *testing.T, templates, tests int) {
	t.Helper()
	m.setTemplate(t, "users", templates)
	m.setTemplate(t, "orders", templates)
	for _, name := range []string{"users/users", "users/names", "orders/orders"} {
		m.setTests(t, name, fmt.Sprintf("func TestState%d(*testing.T) {}\n", tests))
	}
}

const edit = "\n-- edit\n"

func (m *machine) setTemplate(t *testing.T, name string, state int) {
	t.Helper()
	path := filepath.Join(m.dir, name, "migrations", "001_"+name+".sql")
	text, _, _ := strings.Cut(nested.MustRead(t, path), edit)
	nested.MustWrite(t, path, fmt.Sprintf("%s%sCREATE TABLE state%d ();\n", text, edit, state))
}

func (m *machine) setTests(t *testing.T, name, tests string) {
	t.Helper()
	path := filepath.Join(m.dir, name+"_test.go")
	text, _, _ := strings.Cut(nested.MustRead(t, path), "\n// edit\n")
	nested.MustWrite(t, path, text+"\n// edit\n"+tests)
}

// outcome is what a user sees of a run.
type outcome struct {
	code   int
	counts string // "8 passed, 0 failed, 1 skipped"
	took   time.Duration
	output string
}

// command runs the tests: by "bazel test" or by "pgcell run".
type command func(t *testing.T, m *machine) outcome

func bazelTest(t *testing.T, m *machine) outcome {
	t.Helper()
	r := m.test(t)
	return outcome{r.Code, counts(r), r.Took, r.Output}
}

var ended = regexp.MustCompile(`(?m)^ *\x16?--- (PASS|FAIL|SKIP): Test`)

// counts counts the tests in the logs of all shards.
func counts(r nested.Result) string {
	n := map[string]int{}
	for _, s := range r.Shards {
		for _, m := range ended.FindAllStringSubmatch(s.Log, -1) {
			n[m[1]]++
		}
	}
	return fmt.Sprintf("%d passed, %d failed, %d skipped", n["PASS"], n["FAIL"], n["SKIP"])
}

var builtCommand = sync.OnceValues(func() (string, error) { return nested.BuildCommand(scratch) })

func pgcellRun(t *testing.T, m *machine) outcome {
	t.Helper()
	program, err := builtCommand()
	if err != nil {
		t.Fatal(err)
	}
	script := m.bazel.MustScript(t, filepath.Join(filepath.Dir(m.dir), "bazel"))
	args := append([]string{"run", "--maxfail", "0", "--"}, m.flags()...)
	cmd := m.bazel.Command(t, program, script, m.dir, append(args, "--experimental_convenience_symlinks=ignore")...)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	start := time.Now()
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^\d+ passed, \d+ failed, \d+ skipped$`).FindString(output.String())
	return outcome{cmd.ProcessState.ExitCode(), found, time.Since(start), output.String()}
}

// ran gives what a run executed: the number of executed shards of each suite, and of spawns of each other mnemonic and
// target.
func ran(r nested.Result) (shards, spawns map[string]int) {
	shards, spawns = map[string]int{}, map[string]int{}
	for _, s := range r.Shards {
		if !s.Cached() {
			shards[s.Label]++
		}
	}
	for _, s := range r.Spawns {
		if s.Origin == nested.Executed && s.Mnemonic != "TestRunner" {
			spawns[s.Mnemonic+" "+s.Label]++
		}
	}
	return shards, spawns
}

// ensureNothingRan asserts that a run of a machine that had built nothing took all from the remote cache.
func ensureNothingRan(t *testing.T, r nested.Result) {
	t.Helper()
	r.EnsureSuccess(t)
	shards, spawns := ran(r)
	if len(shards)+len(spawns) > 0 {
		t.Errorf("executed: shards %v, actions %v; want none", shards, spawns)
	}
	origins := map[nested.Origin]int{}
	mnemonics := map[string]int{}
	for _, s := range r.Spawns {
		origins[s.Origin]++
		mnemonics[s.Mnemonic]++
	}
	for _, mnemonic := range []string{"PgTemplate", "GoCompilePkg", "GoStdlib", "GoLink", "TestRunner"} {
		if mnemonics[mnemonic] == 0 {
			t.Errorf("no %s in the log of spawns, which has %v", mnemonic, mnemonics)
		}
	}
	if got := counts(r); got != allPassed || len(r.Shards) != allShards {
		t.Errorf("%s in %d shards, want %s in %d", got, len(r.Shards), allPassed, allShards)
	}
	t.Logf("in %.1f s of spawns %v: %v", r.Took.Seconds(), origins, mnemonics)
}

// ensureRan asserts which suites and templates alone a run executed.
func ensureRan(t *testing.T, r nested.Result, wantShards map[string]int, wantTemplates ...string) {
	t.Helper()
	r.EnsureSuccess(t)
	shards, spawns := ran(r)
	if fmt.Sprint(shards) != fmt.Sprint(wantShards) {
		t.Errorf("executed shards %v, want %v\n%s", shards, wantShards, r.Output)
	}
	var templates []string
	for spawn := range spawns {
		if label, ok := strings.CutPrefix(spawn, "PgTemplate "); ok {
			templates = append(templates, label)
		}
	}
	slices.Sort(templates)
	if !slices.Equal(templates, wantTemplates) {
		t.Errorf("executed migrations of %v, want %v", templates, wantTemplates)
	}
}

// ensureOnlyOurs asserts that a run executed nothing for targets outside of the workspace: no edit concerns them.
func ensureOnlyOurs(t *testing.T, r nested.Result) {
	t.Helper()
	_, spawns := ran(r)
	for spawn := range spawns {
		if _, label, _ := strings.Cut(spawn, " "); !strings.HasPrefix(label, "//") {
			t.Errorf("executed %s", spawn)
		}
	}
}
