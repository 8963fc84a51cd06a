// Package usage measures the processor time of a process and of all processes below it, servers in namespaces of their
// own included.
//
// Goal: to tell suites that compute from suites that wait, at no cost that a test could feel, and without a hook at the
// end of the process, of which Go's testing has none. Non-goal: accounting; the last moments of a process are missing.
package usage

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"
)

// File is where a test process writes its usage, relative to the directory of a test's outputs.
const File = "pgcell/usage.json"

// Usage is what a process and those below it have used up to some moment.
type Usage struct {
	Seconds        float64 `json:"seconds"`         // since the process began to measure
	CPUSeconds     float64 `json:"cpu_seconds"`     // user and system time, on all cores
	StalledSeconds float64 `json:"stalled_seconds"` // in which others had the processors
}

// Share is the part of a core that was used in the mean: 1 for one thread that always computes. What others had the
// processors does not count, for on a busy machine a test that computes must not look like one that sleeps. ok is false
// where nothing is known.
func (u Usage) Share() (share float64, ok bool) {
	if u.Seconds <= 0 || u.CPUSeconds < 0 || u.StalledSeconds < 0 {
		return 0, false
	}
	return u.CPUSeconds / max(u.Seconds-u.StalledSeconds, u.Seconds/10), true
}

// first is when a process first writes; each time that follows is an eighth further from its start.
const first = 200 * time.Millisecond

// Record writes the usage of this process below dir, now and then, until the process ends, and does nothing where it
// cannot be measured. It keeps no goroutine, for tests that count those. A write replaces the file as a whole.
func Record(dir string) {
	start := time.Now()
	var again func()
	again = func() {
		elapsed := time.Since(start)
		cpu, stalled, ok := CPU()
		u := Usage{elapsed.Seconds(), cpu.Seconds(), stalled.Seconds()}
		if ok && write(filepath.Join(dir, filepath.FromSlash(File)), u) == nil {
			time.AfterFunc(max(first, elapsed/8), again)
		}
	}
	time.AfterFunc(first, again)
}

func write(path string, u Usage) error {
	text, err := json.Marshal(u)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	next := path + ".new"
	if err := os.WriteFile(next, text, 0o644); err != nil {
		return err
	}
	return os.Rename(next, path)
}

// Parse reads what Record wrote; the zero Usage of anything else.
func Parse(text []byte) Usage {
	var u Usage
	if json.Unmarshal(text, &u) != nil {
		return Usage{}
	}
	return u
}
