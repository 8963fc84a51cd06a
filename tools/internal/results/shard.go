package results

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pgcell/pgcell/tools/internal/bazel"
	"github.com/pgcell/pgcell/tools/internal/gotest"
	"github.com/pgcell/pgcell/tools/internal/label"
)

// Shard is the result of one shard of a test target; a target without sharding has one.
type Shard struct {
	Label    string // with the version, where there are several of PostgreSQL: see package label
	Config   string // id of the Bazel configuration, opaque
	Run      int    // from 1; above 1 with --runs_per_test alone
	Index    int    // from 0, as in TEST_SHARD_INDEX
	Total    int    // 1 when the target is not sharded
	Attempt  int    // from 1
	Status   bazel.Status
	Cached   bool
	Start    time.Time // of the execution, of a cached shard the original one; zero when unknown
	Duration time.Duration
	Tests    []Test // top-level tests in the file's order
	Cells    []Cell // what the tests recorded of their databases, in the order in which they ended

	// Earlier are the failed attempts before this one, oldest first.
	Earlier []*Shard

	// Died says why the shard failed, where none of its tests is to blame; else it is empty.
	Died string
	// Note says why the shard's tests are not known, although it passed; else it is empty. None is counted then.
	Note string
	// Silent is true if go test ran without -v, and so named the tests that failed alone.
	Silent bool
	// Log is the path of test.log; empty when it is not on this machine.
	Log string
	// CPU is the processor time of the shard's processes, as if they had the machine alone; 0 when it was not measured.
	CPU time.Duration
	// Outputs is the directory, or the zip file, of what the tests left as their outputs; empty without any.
	Outputs string
}

// End is when the execution ended; zero when it is unknown.
func (s *Shard) End() time.Time {
	if s.Start.IsZero() {
		return s.Start
	}
	return s.Start.Add(s.Duration)
}

// OK reports whether the shard passed.
func (s *Shard) OK() bool { return s.Status.OK() }

// Interrupted reports whether the shard was stopped before it had a result.
func (s *Shard) Interrupted() bool { return s.Status == bazel.Incomplete || s.Status == bazel.NoStatus }

// Worker names who ran the shard: "w0", "w1", ... or "master" without sharding.
func (s *Shard) Worker() string {
	if s.Total <= 1 {
		return "master"
	}
	return fmt.Sprintf("w%d", s.Index)
}

// String gives the label, and the shard where there are several: "//x:y shard 2/4".
func (s *Shard) String() string {
	var b strings.Builder
	b.WriteString(s.Label)
	if s.Total > 1 {
		fmt.Fprintf(&b, " shard %d/%d", s.Index+1, s.Total)
	}
	if s.Run > 1 {
		fmt.Fprintf(&b, " run %d", s.Run)
	}
	return b.String()
}

// Title names a test in the form that "pgcell run" takes, and its worker.
func (s *Shard) Title(t *Test) string {
	name := s.Argument(t)
	if t.Name != "" {
		name += " [" + s.Worker() + "]"
	}
	if s.Run > 1 {
		name += fmt.Sprintf(" run %d", s.Run)
	}
	return label.Versioned(name, label.Version(s.Label))
}

// Argument names a test in the form that "pgcell run" takes.
func (s *Shard) Argument(t *Test) string {
	if t.Name == "" {
		return label.Bare(s.Label)
	}
	return label.Bare(s.Label) + "::" + t.Name
}

// Text gives what a test printed, fit to be shown.
func (s *Shard) Text(t *Test) string {
	outputs := s.Outputs
	if outputs == "" && s.Log != "" {
		outputs = filepath.Join(filepath.Dir(s.Log), "test.outputs")
	}
	return gotest.Clean(gotest.WithPlaces(t.Output, outputs))
}

// Where finds the place at which a test failed, by what it and its failed subtests printed. root is the workspace; it may
// be empty.
func (s *Shard) Where(t *Test, root string) gotest.Place {
	outputs := []string{t.Output}
	for _, sub := range t.Subtests {
		if sub.Outcome == Failed {
			outputs = append([]string{sub.Output}, outputs...)
		}
	}
	pkg, ok := strings.CutPrefix(strings.TrimLeft(s.Label, "@"), "//")
	if !ok { // a target of another repository
		root = ""
	}
	pkg, _, _ = strings.Cut(pkg, ":")
	return gotest.FindPlace(outputs, root, pkg)
}

// FailedBefore counts the earlier attempts in which a test failed; a shard that died is a failure of each of its tests.
func (s *Shard) FailedBefore(name string) int {
	n := 0
	for _, e := range s.Earlier {
		if e.Died != "" || slices.ContainsFunc(e.Tests, func(t Test) bool { return t.Name == name && t.Outcome == Failed }) {
			n++
		}
	}
	return n
}

// Failed gives the tests that failed.
func (s *Shard) Failed() []Test {
	var failed []Test
	for _, t := range s.Tests {
		if t.Outcome == Failed {
			failed = append(failed, t)
		}
	}
	return failed
}

// read fills in Tests, Died, Note and Log.
func (s *Shard) read(res *bazel.TestResult) {
	if name, err := res.Log.Path(); err == nil {
		s.Log = name
		defer s.readCells(filepath.Join(filepath.Dir(name), "test.outputs"))
	}
	if s.Interrupted() {
		return
	}
	tests, err := readTests(res.XML)
	switch {
	case err != nil && s.OK():
		if s.Tests = s.logged(); s.Tests == nil {
			s.Note = fmt.Sprintf("not counted: %v", err)
		}
	case err != nil:
		s.Died = s.reason(res)
		if !errors.Is(err, bazel.ErrNoFile) && !errors.Is(err, os.ErrNotExist) {
			s.Died += fmt.Sprintf(" (%v)", err)
		}
	case wholeTarget(tests, label.Bare(s.Label)) && s.OK():
		tests[0].Name = ""
		s.Tests = tests
	case wholeTarget(tests, label.Bare(s.Label)):
		if m := exitMessage.FindStringSubmatch(tests[0].Output); m != nil && res.ExitCode == 0 {
			res.ExitCode, _ = strconv.Atoi(m[1])
		}
		s.Died = s.reason(res)
	default:
		s.Tests = tests
		s.Silent = s.ranSilently()
		if !s.OK() && len(s.Failed()) == 0 {
			s.Died = s.reason(res) + ", though none of its tests did"
		}
	}
}

// Unknown reports whether tests of the shard may have passed that nothing tells of.
func (s *Shard) Unknown() bool { return s.Silent || s.Note != "" }

// ranSilently reports whether go test ran tests without -v, by the results and the log.
func (s *Shard) ranSilently() bool {
	if slices.ContainsFunc(s.Tests, func(t Test) bool { return t.Outcome != Failed }) {
		return false
	}
	text, err := os.ReadFile(s.Log)
	return err == nil && gotest.Silent(string(text))
}

// logged gives the tests that test.log tells of. Bazel 7 may not have test.xml on this machine: after
// a command with --remote_download_outputs=minimal no later one brings it.
func (s *Shard) logged() []Test {
	f, err := os.Open(s.Log)
	if err != nil {
		return nil
	}
	defer f.Close()
	tests, err := ReadLog(f)
	if err != nil {
		return nil
	}
	return tests
}

func readTests(file bazel.File) ([]Test, error) {
	if file.Name == "" {
		file.Name = "test.xml"
	}
	name, err := file.Path()
	if err != nil {
		return nil, err
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read test.xml: %w", err)
	}
	defer f.Close()
	tests, err := ReadJUnit(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return tests, nil
}

var (
	ofShard     = regexp.MustCompile(`_shard_\d+/\d+$`)
	exitMessage = regexp.MustCompile(`^exited with error code (\d+)`)
)

// wholeTarget reports whether Bazel itself wrote the XML, which it does for a test that leaves
// none: then the one test in it is named by the path of the target's program, "x/y_test" or, with
// rules_go, "x/y_test_/y_test", and its shard, "_shard_1/2".
func wholeTarget(tests []Test, target string) bool {
	if len(tests) != 1 {
		return false
	}
	pkg, name, _ := strings.Cut(target[strings.LastIndex(target, "//")+2:], ":")
	dir, base := path.Split(ofShard.ReplaceAllString(tests[0].Name, ""))
	return dir != "" && base == path.Base(name) && strings.HasPrefix(dir, pkg)
}

// noReason is what is said where Bazel tells nothing; Bazel 7 tells no exit code.
const noReason = "its process failed"

// reason says how the shard's process ended.
func (s *Shard) reason(res *bazel.TestResult) string {
	code := res.ExitCode
	switch {
	case s.Status == bazel.TimedOut:
		return fmt.Sprintf("timed out after %.1fs", s.Duration.Seconds())
	case s.Status == bazel.RemoteFailure:
		return "could not be run remotely"
	case code > 128:
		return fmt.Sprintf("died of signal %d", code-128)
	case code != 0:
		return fmt.Sprintf("failed with exit code %d", code)
	default:
		return noReason
	}
}
