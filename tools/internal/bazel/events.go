package bazel

import (
	"strings"
	"time"
)

// Status says how a test target, or one of its shards, ended. The values are the protocol's own.
type Status string

// The states that Bazel reports. A value that is none of them is kept as it came.
const (
	NoStatus      Status = "NO_STATUS"
	Passed        Status = "PASSED"
	Flaky         Status = "FLAKY" // passed, after at least one failed attempt
	TimedOut      Status = "TIMEOUT"
	Failed        Status = "FAILED"
	Incomplete    Status = "INCOMPLETE" // interrupted
	RemoteFailure Status = "REMOTE_FAILURE"
	FailedToBuild Status = "FAILED_TO_BUILD"
	Halted        Status = "TOOL_HALTED_BEFORE_TESTING"
)

// OK reports whether the tests behind s passed, be it at a later attempt.
func (s Status) OK() bool { return s == Passed || s == Flaky }

// Reasons of Aborted that a command tells apart. Bazel knows more of them.
const (
	ReasonInterrupted = "USER_INTERRUPTED"
	ReasonLoading     = "LOADING_FAILURE"
	ReasonAnalysis    = "ANALYSIS_FAILURE"
	ReasonSkipped     = "SKIPPED" // incompatible with the platform
)

// Event is one line of the stream. At most one of the pointers is set; an event that this package
// does not know has none.
type Event struct {
	Started    *Started
	Options    *Options
	Configured *Configured
	Target     *Target
	Action     *Action
	Result     *TestResult
	Summary    *TestSummary
	Aborted    *Aborted
	Finished   *Finished
	Progress   *Progress
	ExecRoot   *ExecRoot
}

// Started is the first event of a command.
type Started struct {
	Command   string // "test", "build", ...
	Workspace string // absolute path of the workspace
	ServerPID int    // process id of the Bazel server, 0 when unknown
}

// Options are the command's options as they are in force, those of .bazelrc included.
type Options struct {
	Line []string // "--name=value"; the last of several counts
}

// Get gives the value of an option, "" if it is not set.
func (o *Options) Get(name string) string {
	value := ""
	for _, option := range o.Line {
		if v, ok := strings.CutPrefix(option, "--"+name+"="); ok {
			value = v
		}
	}
	return value
}

// Configured says that a target was analysed, before it is built.
type Configured struct {
	Label string
	Test  bool // it is of a test rule
}

// Target says that a configured target was built, or failed to. It comes before the results of the
// target's tests.
type Target struct {
	Label  string
	Config string // id of the configuration, opaque
	OK     bool
	Shards int // shards announced for a test target, at least 1; 0 for everything that is no test

	// Flaky is true for a test target with the attribute flaky, which gets three attempts.
	Flaky bool
}

// Action is an action that Bazel found worth reporting: in practice each one that failed.
type Action struct {
	Label    string
	OK       bool
	ExitCode int
	Mnemonic string // "GoCompilePkg", "PgTemplate", ...
	Message  string // Bazel's one-line reason; empty when it gave none
	Stdout   File
	Stderr   File
}

// TestResult is one attempt of one shard of one run of a test target.
type TestResult struct {
	Label    string
	Config   string
	Run      int // from 1; above 1 with --runs_per_test alone
	Shard    int // from 1
	Attempt  int // from 1; above 1 with --flaky_test_attempts alone
	Status   Status
	Cached   bool      // nothing was executed: the result came from a local or a remote cache
	Start    time.Time // when the execution began, of a cached result the original one; zero when not told
	Duration time.Duration
	ExitCode int    // of the test process; 0 when it passed or when Bazel does not say
	Strategy string // "linux-sandbox", "remote", "disk cache hit", ...; empty when not told
	Log      File   // test.log
	XML      File   // test.xml
}

// TestSummary is the last word on a test target, after all its shards.
type TestSummary struct {
	Label  string
	Config string
	Status Status
	Runs   int // shard attempts that were counted
	Cached int // how many of Runs came from a cache
	Shards int // 0 when the target is not sharded
}

// Aborted takes the place of an event that will not come.
type Aborted struct {
	Reason      string // one of the Reason constants, or another of Bazel's
	Description string
	Pattern     string // the target patterns that could not be expanded, when that is what failed
	Label       string // the target or test that will not come, when that is what failed
	Shard       int    // from 1, when it is the result of a test that will not come; else 0
}

// Finished carries the command's own verdict.
type Finished struct {
	ExitCode int    // Bazel's, see https://bazel.build/run/scripts#exit-codes
	Name     string // "SUCCESS", "TESTS_FAILED", "INTERRUPTED", ...
	Message  string // why it failed; empty when it did not, or when Bazel does not say
}

// Progress is what Bazel wrote for people.
type Progress struct {
	Stderr string // a part of its messages, whole lines as a rule
}

// ExecRoot says where actions run on this machine.
type ExecRoot struct {
	Path string // absolute
}

// Label gives the label of the target that an event tells of; nil if it tells of none.
func (e *Event) Label() *string {
	switch {
	case e.Configured != nil:
		return &e.Configured.Label
	case e.Target != nil:
		return &e.Target.Label
	case e.Result != nil:
		return &e.Result.Label
	case e.Summary != nil:
		return &e.Summary.Label
	case e.Aborted != nil:
		return &e.Aborted.Label
	}
	return nil
}
