package nested

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"
)

// Result is what one call of Bazel did.
type Result struct {
	Code   int
	Output string // both streams
	Took   time.Duration
	Shards []Shard // none where no test was run
	Spawns []Spawn // none without LogSpawns
}

// Origin says where a result came from.
type Origin string

// The origins of a result.
const (
	Executed    Origin = "executed"
	LocalCache  Origin = "local cache" // Bazel's own memory, in the output base
	DiskCache   Origin = "disk cache"
	RemoteCache Origin = "remote cache"
)

// Shard is one process of one test, of the last attempt.
type Shard struct {
	Label    string
	Number   int // from 1; 1 too for a test without shards
	Status   string
	Origin   Origin
	Strategy string // linux-sandbox, ...
	Log      string
}

// Cached tells whether nothing was executed.
func (s Shard) Cached() bool { return s.Origin != Executed }

// Spawn is a subprocess that Bazel ran for an action, or took the result of from a cache outside of the output base. An
// action whose result was in the output base has none.
type Spawn struct {
	Label    string // of the target; empty where an action belongs to none
	Mnemonic string // PgTemplate, GoCompilePkg, TestRunner, ...
	Origin   Origin
	Strategy string // linux-sandbox, "remote cache hit", ...
}

// Logs joins the logs of all shards of a test.
func (r Result) Logs(label string) string {
	var all strings.Builder
	for _, s := range r.Shards {
		if s.Label == label {
			all.WriteString(s.Log)
		}
	}
	return all.String()
}

// EnsureSuccess ends the test, with Bazel's output, where Bazel failed.
func (r Result) EnsureSuccess(t *testing.T) {
	t.Helper()
	if r.Code != 0 {
		t.Fatalf("bazel ended with %d, want 0:\n%s", r.Code, r.Output)
	}
}

// EnsureOutput asserts an exit code and parts of the output.
func (r Result) EnsureOutput(t *testing.T, code int, parts ...string) {
	t.Helper()
	if r.Code != code {
		t.Errorf("bazel ended with %d, want %d:\n%s", r.Code, code, r.Output)
	}
	for _, part := range parts {
		if !strings.Contains(r.Output, part) {
			t.Errorf("Bazel's output lacks %q:\n%s", part, r.Output)
		}
	}
}

// event is the part of the Build Event Protocol that is of interest here.
type event struct {
	ID struct {
		TestResult *struct {
			Label string `json:"label"`
			Shard int    `json:"shard"`
		} `json:"testResult"`
	} `json:"id"`
	TestResult struct {
		Status           string `json:"status"`
		CachedLocally    bool   `json:"cachedLocally"`
		TestActionOutput []struct {
			Name string `json:"name"`
			URI  string `json:"uri"`
		} `json:"testActionOutput"`
		ExecutionInfo struct {
			Strategy       string `json:"strategy"`
			CachedRemotely bool   `json:"cachedRemotely"`
		} `json:"executionInfo"`
	} `json:"testResult"`
}

// readShards reads the test results of an event file; none where Bazel wrote no such file.
func readShards(t *testing.T, path string) []Shard {
	t.Helper()
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var shards []Shard
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatalf("read build event %q: %v", lines.Text(), err)
		}
		if id := e.ID.TestResult; id != nil {
			shards = append(shards, Shard{
				Label: id.Label, Number: id.Shard, Status: e.TestResult.Status, Origin: e.origin(),
				Strategy: e.TestResult.ExecutionInfo.Strategy, Log: readLog(t, e),
			})
		}
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return shards
}

// origin gives where a test result came from. A result in the output base keeps how it came there, so this is asked first.
func (e event) origin() Origin {
	switch r := e.TestResult; {
	case r.CachedLocally:
		return LocalCache
	case r.ExecutionInfo.CachedRemotely:
		return cacheOf(r.ExecutionInfo.Strategy)
	}
	return Executed
}

// cacheOf reads which cache a hit was in: "disk cache hit" or "remote cache hit".
func cacheOf(strategy string) Origin {
	if strings.HasPrefix(strategy, "disk") {
		return DiskCache
	}
	return RemoteCache
}

// readLog gives the log of a shard: empty where Bazel left it in a remote cache.
func readLog(t *testing.T, e event) string {
	t.Helper()
	for _, output := range e.TestResult.TestActionOutput {
		if output.Name != "test.log" {
			continue
		}
		u, err := url.Parse(output.URI)
		if err != nil {
			t.Fatal(err)
		}
		if u.Scheme != "file" {
			return ""
		}
		text, err := os.ReadFile(u.Path)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	return ""
}

// ReadSpawns reads a file that Bazel wrote for --execution_log_json_file; none where it wrote no such file.
func ReadSpawns(t *testing.T, path string) []Spawn {
	t.Helper()
	file, err := os.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var spawns []Spawn
	for decoder := json.NewDecoder(bufio.NewReaderSize(file, 1<<20)); ; {
		var s struct {
			TargetLabel, Mnemonic, Runner string
			CacheHit                      bool
		}
		if err := decoder.Decode(&s); errors.Is(err, io.EOF) {
			return spawns
		} else if err != nil {
			t.Fatalf("read the log of spawns %s: %v", path, err)
		}
		origin := Executed
		if s.CacheHit {
			origin = cacheOf(s.Runner)
		}
		spawns = append(spawns, Spawn{Label: s.TargetLabel, Mnemonic: s.Mnemonic, Origin: origin, Strategy: s.Runner})
	}
}
