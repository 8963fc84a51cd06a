package bazel

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Decode reads one line of the stream.
//
// An event of an unknown kind gives an Event without content and no error. The error says that the
// line is no JSON, which happens when Bazel died while it wrote.
func Decode(line []byte) (Event, error) {
	var w wireEvent
	var odd *json.UnmarshalTypeError // a field changed its type: the others are read all the same
	if err := json.Unmarshal(bytes.TrimSpace(line), &w); err != nil && !errors.As(err, &odd) {
		return Event{}, fmt.Errorf("decode build event %.80q: %w", line, err)
	}
	return w.event(), nil
}

// wireEvent is the part of build_event_stream.BuildEvent that is read.
type wireEvent struct {
	ID          wireID          `json:"id"`
	Children    []wireID        `json:"children"`
	Started     *wireStarted    `json:"started"`
	Options     *wireOptions    `json:"optionsParsed"`
	Aborted     *wireAborted    `json:"aborted"`
	Action      *wireAction     `json:"action"`
	Configured  *wireConfigured `json:"configured"`
	Completed   *wireCompleted  `json:"completed"`
	TestResult  *wireResult     `json:"testResult"`
	TestSummary *wireSummary    `json:"testSummary"`
	Finished    *wireFinished   `json:"finished"`
	Progress    *wireProgress   `json:"progress"`
	Workspace   *wireWorkspace  `json:"workspaceInfo"`
}

type wireID struct {
	Pattern         *wirePattern `json:"pattern"`
	PatternSkipped  *wirePattern `json:"patternSkipped"`
	TargetCompleted *wireTarget  `json:"targetCompleted"`
	TargetConfig    *wireTarget  `json:"targetConfigured"`
	ActionCompleted *wireTarget  `json:"actionCompleted"`
	TestSummary     *wireTarget  `json:"testSummary"`
	TestResult      *wireTarget  `json:"testResult"`
}

type wirePattern struct {
	Pattern []string `json:"pattern"`
}

// wireTarget is the union of the ids that name a target.
type wireTarget struct {
	Label         string `json:"label"`
	Configuration struct {
		ID string `json:"id"`
	} `json:"configuration"`
	Run     int `json:"run"`
	Shard   int `json:"shard"`
	Attempt int `json:"attempt"`
}

type wireStarted struct {
	Command   string `json:"command"`
	Workspace string `json:"workspaceDirectory"`
	ServerPID number `json:"serverPid"`
}

type wireOptions struct {
	CmdLine []string `json:"cmdLine"`
}

type wireAborted struct {
	Reason      string `json:"reason"`
	Description string `json:"description"`
}

type wireAction struct {
	Success       bool   `json:"success"`
	ExitCode      int    `json:"exitCode"`
	Type          string `json:"type"`
	Stdout        File   `json:"stdout"`
	Stderr        File   `json:"stderr"`
	FailureDetail struct {
		Message string `json:"message"`
	} `json:"failureDetail"`
}

type wireConfigured struct {
	TestSize string `json:"testSize"`
}

type wireCompleted struct {
	Success bool     `json:"success"`
	Tags    []string `json:"tag"`
}

type wireResult struct {
	Outputs        []File   `json:"testActionOutput"`
	Status         Status   `json:"status"`
	CachedLocally  bool     `json:"cachedLocally"`
	StartMillis    number   `json:"testAttemptStartMillisEpoch"`
	DurationMillis number   `json:"testAttemptDurationMillis"`
	Duration       duration `json:"testAttemptDuration"`
	ExecutionInfo  struct {
		Strategy       string `json:"strategy"`
		CachedRemotely bool   `json:"cachedRemotely"`
		ExitCode       int    `json:"exitCode"`
	} `json:"executionInfo"`
}

type wireSummary struct {
	OverallStatus Status `json:"overallStatus"`
	TotalRunCount int    `json:"totalRunCount"`
	TotalCached   int    `json:"totalNumCached"`
	ShardCount    int    `json:"shardCount"`
}

type wireFinished struct {
	ExitCode struct {
		Name string `json:"name"`
		Code int    `json:"code"`
	} `json:"exitCode"`
	FailureDetail struct {
		Message string `json:"message"`
	} `json:"failureDetail"`
}

type wireWorkspace struct {
	LocalExecRoot string `json:"localExecRoot"`
}

type wireProgress struct {
	Stderr string `json:"stderr"`
}

func (w *wireEvent) event() Event {
	var e Event
	switch {
	case w.Aborted != nil:
		e.Aborted = w.aborted()
	case w.Started != nil:
		e.Started = &Started{
			Command: w.Started.Command, Workspace: w.Started.Workspace, ServerPID: int(w.Started.ServerPID),
		}
	case w.Options != nil:
		e.Options = &Options{Line: w.Options.CmdLine}
	case w.ID.TargetConfig != nil && w.Configured != nil:
		e.Configured = &Configured{Label: w.ID.TargetConfig.Label, Test: w.Configured.TestSize != ""}
	case w.ID.TargetCompleted != nil:
		e.Target = w.target()
	case w.ID.ActionCompleted != nil && w.Action != nil:
		a := w.Action
		e.Action = &Action{
			Label: w.ID.ActionCompleted.Label, OK: a.Success, ExitCode: a.ExitCode, Mnemonic: a.Type,
			Message: a.FailureDetail.Message, Stdout: a.Stdout, Stderr: a.Stderr,
		}
	case w.ID.TestResult != nil && w.TestResult != nil:
		e.Result = w.result()
	case w.ID.TestSummary != nil && w.TestSummary != nil:
		id, s := w.ID.TestSummary, w.TestSummary
		e.Summary = &TestSummary{
			Label: id.Label, Config: id.Configuration.ID, Status: s.OverallStatus,
			Runs: s.TotalRunCount, Cached: s.TotalCached, Shards: s.ShardCount,
		}
	case w.Finished != nil:
		f := w.Finished
		e.Finished = &Finished{ExitCode: f.ExitCode.Code, Name: f.ExitCode.Name, Message: f.FailureDetail.Message}
	case w.Progress != nil && w.Progress.Stderr != "":
		e.Progress = &Progress{Stderr: w.Progress.Stderr}
	case w.Workspace != nil && w.Workspace.LocalExecRoot != "":
		e.ExecRoot = &ExecRoot{Path: w.Workspace.LocalExecRoot}
	}
	return e
}

func (w *wireEvent) aborted() *Aborted {
	a := &Aborted{Reason: w.Aborted.Reason, Description: w.Aborted.Description}
	for _, p := range []*wirePattern{w.ID.Pattern, w.ID.PatternSkipped} {
		if p != nil {
			a.Pattern = strings.Join(p.Pattern, " ")
		}
	}
	id := &w.ID
	for _, t := range []*wireTarget{id.TargetCompleted, id.TargetConfig, id.TestSummary, id.TestResult} {
		if t != nil {
			a.Label, a.Shard = t.Label, t.Shard
		}
	}
	return a
}

func (w *wireEvent) target() *Target {
	id := w.ID.TargetCompleted
	t := &Target{Label: id.Label, Config: id.Configuration.ID, OK: w.Completed != nil && w.Completed.Success}
	if w.Completed != nil {
		t.Flaky = slices.Contains(w.Completed.Tags, "flaky")
	}
	for _, c := range w.Children {
		if c.TestResult != nil {
			t.Shards = max(t.Shards, c.TestResult.Shard)
		}
	}
	return t
}

func (w *wireEvent) result() *TestResult {
	id, r := w.ID.TestResult, w.TestResult
	t := &TestResult{
		Label: id.Label, Config: id.Configuration.ID,
		Run: max(id.Run, 1), Shard: max(id.Shard, 1), Attempt: max(id.Attempt, 1),
		Status: r.Status, Cached: r.cached(),
		Duration: time.Duration(r.Duration), Strategy: r.ExecutionInfo.Strategy,
		ExitCode: r.ExecutionInfo.ExitCode,
	}
	if r.StartMillis > 0 {
		t.Start = time.UnixMilli(int64(r.StartMillis)).UTC()
	}
	if t.Duration == 0 {
		t.Duration = time.Duration(r.DurationMillis) * time.Millisecond
	}
	if t.Status == "" {
		t.Status = NoStatus // zero values are left out of the JSON
	}
	for _, f := range r.Outputs {
		switch f.Name {
		case "test.log":
			t.Log = f
		case "test.xml":
			t.XML = f
		}
	}
	return t
}

// cached covers the output tree, where Bazel knows the result itself, and remote and disk caches: of a
// hit in the latter nothing but the strategy's name tells.
func (r *wireResult) cached() bool {
	return r.CachedLocally || r.ExecutionInfo.CachedRemotely || strings.HasSuffix(r.ExecutionInfo.Strategy, "cache hit")
}

// number is a 64-bit integer, which proto3's JSON writes as a string.
type number int64

// UnmarshalJSON takes the number with and without quotes; what is neither reads as 0.
func (n *number) UnmarshalJSON(b []byte) error {
	v, _ := strconv.ParseInt(strings.Trim(string(b), `"`), 10, 64)
	*n = number(v)
	return nil
}

// duration is a google.protobuf.Duration, which proto3's JSON writes as "1.234s".
type duration time.Duration

// UnmarshalJSON reads the duration; what is none reads as 0.
func (d *duration) UnmarshalJSON(b []byte) error {
	v, _ := time.ParseDuration(strings.Trim(string(b), `"`))
	*d = duration(v)
	return nil
}
