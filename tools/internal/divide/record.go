package divide

import (
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/renameio/v2"

	"github.com/pgcell/pgcell/tools/internal/gotest"
)

// record is what is known of a package from earlier runs. It holds the tests that the binary has now, and no others.
type record struct {
	Package string             `json:"package"`
	Tests   map[string]float64 `json:"tests"` // seconds of a top-level test, alone
	Guessed map[string]bool    `json:"guessed,omitempty"`

	Parts map[string]map[string]float64 `json:"parts,omitempty"` // test → direct subtest → seconds; with Config.Suites

	StartSeconds float64 `json:"start_seconds"` // of a process without tests; the mean of runs, the last counting half

	// Of the last run, all processes together, without their starts.
	WallSeconds float64 `json:"wall_seconds"`
	CPUSeconds  float64 `json:"cpu_seconds"`
	TestSeconds float64 `json:"test_seconds"`
}

// keptRecord is how long a file that no run has written is kept.
const keptRecord = 180 * 24 * time.Hour

// recordFile names the file of a package: by the path that it was built from, so that all checkouts of a module share
// it.
func (c *Config) recordFile() (file, name string) {
	name = c.Binary
	if info, err := buildinfo.ReadFile(c.Binary); err == nil && info.Path != "" {
		name = info.Main.Path + " " + info.Path
	} else if abs, err := filepath.Abs(c.Binary); err == nil {
		name = abs
	}
	sum := sha256.Sum256([]byte(name))
	short := strings.TrimSuffix(path.Base(filepath.ToSlash(name)), ".test")
	return filepath.Join(c.Times, fmt.Sprintf("%.40s-%x.json", short, sum[:6])), name
}

// known reads what is recorded; nothing where there is none, or it cannot be read: the next run writes it anew.
func (c *Config) known() *record {
	known := &record{}
	if c.Times == "" {
		return known
	}
	file, name := c.recordFile()
	text, err := os.ReadFile(file)
	if err != nil || json.Unmarshal(text, known) != nil || known.Package != name {
		return &record{}
	}
	return known
}

// record writes what this run has shown.
func (r *run) record() error {
	file, name := r.config.recordFile()
	next := &record{Package: name, Tests: map[string]float64{}, Guessed: map[string]bool{}}
	for _, test := range r.plan.tests {
		if seconds, ok := r.plan.known.Tests[test]; ok {
			next.Tests[test] = seconds
			if r.plan.known.Guessed[test] {
				next.Guessed[test] = true
			}
		}
	}
	next.StartSeconds = r.plan.listed.Seconds()
	if old := r.plan.known.StartSeconds; old > 0 {
		next.StartSeconds = (old + next.StartSeconds) / 2
	}
	for i, u := range r.plan.units {
		r.measure(next, u, r.ran[i])
	}
	r.recordParts(next)
	if err := os.MkdirAll(r.config.Times, 0o777); err != nil {
		return fmt.Errorf("record the times of tests: %w", err)
	}
	text, err := json.Marshal(next)
	if err == nil {
		err = renameio.WriteFile(file, append(text, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("record the times of tests: %w", err)
	}
	forget(r.config.Times)
	return nil
}

// measure takes in what one process has shown. Without -v a process names no test that passed: then what it took is
// shared among its tests, in the proportion that was expected, unless they were measured before.
func (r *run) measure(next *record, u unit, p *ran) {
	if !p.started {
		return
	}
	wall := max(0.001, (p.took - r.plan.startUp).Seconds())
	next.WallSeconds += wall
	next.CPUSeconds += p.cpu.Seconds() / (1 - r.lacked) // on a busy machine, computing must not look like waiting
	var sum float64
	for _, test := range u.tests {
		o, named := p.report.Tests[test]
		_, known := next.Tests[test]
		switch {
		case o.Verb == gotest.Pass || o.Verb == gotest.Fail:
			next.Tests[test] = o.Took.Seconds() / float64(o.Times)
			delete(next.Guessed, test)
		case !named && !known && p.code == 0:
			next.Tests[test], next.Guessed[test] = wall/float64(len(u.tests)), true
		}
		sum += next.Tests[test]
	}
	for _, test := range u.tests {
		if next.Guessed[test] && sum > 0 && p.code == 0 {
			next.Tests[test] *= wall / sum
		}
		next.TestSeconds += next.Tests[test]
	}
}

// forget removes files that were not written for long.
func forget(dir string) {
	files, _ := filepath.Glob(filepath.Join(dir, "*.json")) // fails for a bad pattern alone
	for _, file := range files {
		if info, err := os.Stat(file); err == nil && time.Since(info.ModTime()) > keptRecord {
			_ = os.Remove(file)
		}
	}
}
