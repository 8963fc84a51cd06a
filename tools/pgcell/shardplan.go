package pgcell

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pgcell/pgcell/tools/internal/shard"
	"github.com/pgcell/pgcell/tools/internal/usage"
)

// rules_go deals tests round robin, in the main function that it generates, and offers no hook. What it goes by is the
// environment: so this takes TEST_TOTAL_SHARDS over before main reads it, and says by -test.run which tests are this
// shard's. rules_go's wrapper executes the binary once more, to write test.xml; only the process that runs tests takes
// over.
func init() {
	e := shardEnv{
		lookup: os.LookupEnv, args: os.Args, executable: os.Executable, list: listTests, read: os.ReadFile,
	}
	plan, err := e.plan()
	if err == nil && plan != nil {
		err = plan.apply(os.Stdout, os.Exit)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "pgcell: plan the shards of %s: %v; PGCELL_SHARD_PLAN=off leaves them to rules_go\n",
			os.Getenv("TEST_TARGET"), err)
		os.Exit(1)
	}
	if dir := e.outputs(); dir != "" && e.runsTests() {
		if os.Setenv(measuredVariable, "1") == nil {
			usage.Record(dir)
		}
	}
}

// measuredVariable is set in the process whose usage is recorded, and so in its children, which are measured with it.
const measuredVariable = "PGCELL_MEASURED"

// shardEnv is all that a plan depends on.
type shardEnv struct {
	lookup     func(string) (string, bool)
	args       []string
	executable func() (string, error)
	list       func(executable string) (string, error)
	read       func(string) ([]byte, error)
}

// shardPlan is what one shard of a suite has to do.
type shardPlan struct {
	total, index int
	statusFile   string
	args         []string // for the test binary, its name included
	tests        []string // of this shard
	of           int      // tests that the filter selects, in all shards
	coverage     bool
	log          bool
}

func (e *shardEnv) get(name string) string {
	value, _ := e.lookup(name)
	return value
}

// plan gives the plan of this process; nil where it is none of rules_go's shards, or not the process that runs the
// tests.
func (e *shardEnv) plan() (*shardPlan, error) {
	p := &shardPlan{
		statusFile: e.get("TEST_SHARD_STATUS_FILE"), coverage: e.get("COVERAGE_DIR") != "", log: e.get("PGCELL_LOG") == "1",
	}
	var errTotal, errIndex error
	p.total, errTotal = strconv.Atoi(e.get("TEST_TOTAL_SHARDS"))
	p.index, errIndex = strconv.Atoi(e.get("TEST_SHARD_INDEX"))
	valid := errTotal == nil && errIndex == nil && p.total > 1 && 0 <= p.index && p.index < p.total
	if !valid || p.statusFile == "" {
		return nil, nil
	}
	off, err := e.off()
	if off || err != nil || e.wraps() {
		return nil, err
	}
	executable, err := e.executable()
	if err != nil || filepath.Base(executable) != filepath.Base(e.get("TEST_BINARY")) {
		return nil, nil // a program of the test, built in another way
	}
	args := shard.ParseArgs(e.args[1:])
	if args.List {
		return nil, nil
	}
	return p, e.share(p, args, executable)
}

// off reports whether the plan is switched off.
func (e *shardEnv) off() (bool, error) {
	switch value := e.get("PGCELL_SHARD_PLAN"); value {
	case "", "on":
		return false, nil
	case "off":
		return true, nil
	default:
		return false, fmt.Errorf("PGCELL_SHARD_PLAN: got %q, want on or off", value)
	}
}

// wraps reports whether this process is rules_go's wrapper, as bzltestutil.ShouldWrap does.
func (e *shardEnv) wraps() bool {
	if value, ok := e.lookup("GO_TEST_WRAP"); ok {
		wrap, err := strconv.ParseBool(value)
		return wrap || err != nil // it says itself that the value is wrong
	}
	_, ok := e.lookup("XML_OUTPUT_FILE")
	return ok
}

// outputs is the directory for what a test leaves; empty where there is none, or where Bazel would pack it and could
// not: then its script fails the test (test-setup.sh of Bazel 7 calls zip, unless --nozip_undeclared_test_outputs).
func (e *shardEnv) outputs() string {
	if e.get("TEST_UNDECLARED_OUTPUTS_ZIP") != "" {
		if _, err := exec.LookPath("zip"); err != nil {
			return ""
		}
	}
	return e.get("TEST_UNDECLARED_OUTPUTS_DIR")
}

// runsTests reports whether this process is the one that runs the tests of a Bazel target.
func (e *shardEnv) runsTests() bool {
	executable, err := e.executable()
	return err == nil && filepath.Base(executable) == filepath.Base(e.get("TEST_BINARY")) && !e.wraps() &&
		e.get("PGCELL_LISTING") == "" && e.get(measuredVariable) == ""
}

// share fills in what this shard runs.
func (e *shardEnv) share(p *shardPlan, args shard.Args, executable string) error {
	times, err := e.times()
	if err != nil {
		return err
	}
	output, err := e.list(executable)
	if err != nil {
		return err
	}
	run, skip := shard.Filters(e.get("TESTBRIDGE_TEST_ONLY"))
	if args.Run != nil {
		run = *args.Run
	}
	if args.Skip != nil {
		skip = *args.Skip
	}
	filter, err := shard.ParseFilter(run, skip)
	if err != nil {
		return err
	}
	selected := filter.Select(shard.Listed(output))
	p.of = len(selected)
	shards := p.total
	if e.get("PGCELL_SERIAL_ONLY") == "1" {
		shards = 1 // Bazel was told to cut every suite into shards: the first runs all, the others nothing
	}
	if p.index < shards {
		p.tests = shard.Deal(selected, times, shards)[p.index]
	}
	run, skip = filter.Narrow(p.tests)
	// First, since the flag package stops at the first argument that is no flag; both, since main sets both by
	// TESTBRIDGE_TEST_ONLY.
	p.args = append([]string{e.args[0], "-test.run=" + run, "-test.skip=" + skip}, args.Rest...)
	return nil
}

// times gives the recorded times of this suite.
func (e *shardEnv) times() (map[string]time.Duration, error) {
	file := e.get("PGCELL_TIMES")
	if file == "" {
		return nil, nil
	}
	path, err := runfile(file)
	if err != nil {
		return nil, fmt.Errorf("PGCELL_TIMES: %w", err)
	}
	text, err := e.read(path)
	if err != nil {
		return nil, fmt.Errorf("read recorded times: %w", err)
	}
	times, err := shard.ParseTimes(text)
	if err != nil {
		return nil, fmt.Errorf("read recorded times in %s: %w", file, err)
	}
	target := e.get("TEST_TARGET")
	return times[target[strings.LastIndexByte(target, ':')+1:]], nil
}

// apply makes the process run its share: rules_go's main no longer sees that there are shards. A shard without tests
// is done: nothing of the package runs, no TestMain either. (With coverage all goes its way, for the data is written
// at its end.)
func (p *shardPlan) apply(stdout io.Writer, exit func(int)) error {
	f, err := os.Create(p.statusFile)
	if err != nil {
		return fmt.Errorf("touch TEST_SHARD_STATUS_FILE: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("touch TEST_SHARD_STATUS_FILE: %w", err)
	}
	err = errors.Join(os.Unsetenv("TEST_TOTAL_SHARDS"), os.Setenv(shard.TotalVariable, strconv.Itoa(p.total)))
	if err != nil {
		return err
	}
	os.Args = p.args
	if p.log {
		fmt.Fprintf(os.Stderr, "pgcell: shard %d of %d runs %d of %d tests\n", p.index+1, p.total, len(p.tests), p.of)
	}
	if len(p.tests) == 0 && !p.coverage {
		fmt.Fprintln(stdout, "testing: warning: no tests to run\nPASS")
		exit(0)
	}
	return nil
}

// listTimeout is for a TestMain that hangs where it should come to m.Run.
const listTimeout = time.Minute

// unlisted are the variables that a process that only lists its tests must not act upon.
var unlisted = []string{
	"COVERAGE_DIR", "COVERAGE_OUTPUT_FILE", "GOCOVERDIR", "GO_TEST_RUN_FROM_BAZEL", "GO_TEST_WRAP", "TESTBRIDGE_TEST_ONLY",
	"TEST_PREMATURE_EXIT_FILE", "TEST_SHARD_STATUS_FILE", "TEST_TIMEOUT", "TEST_TOTAL_SHARDS", "XML_OUTPUT_FILE",
}

// listTests asks a test binary of rules_go for its tests. It costs a start of the process, about 20 ms. A TestMain
// runs up to m.Run.
func listTests(executable string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), listTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, executable, "-test.list=.")
	for _, e := range os.Environ() {
		if name, _, _ := strings.Cut(e, "="); !slices.Contains(unlisted, name) {
			cmd.Env = append(cmd.Env, e)
		}
	}
	cmd.Env = append(cmd.Env, "GO_TEST_WRAP=0", "PGCELL_LISTING=1")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	if ctx.Err() != nil {
		err = fmt.Errorf("no answer within %v: does its TestMain wait for something?", listTimeout)
	}
	if err != nil {
		return "", fmt.Errorf("ask the test binary for its tests, by -test.list: %w\n%s%s", err, &stdout, &stderr)
	}
	return stdout.String(), nil
}
