package divide

import (
	"debug/buildinfo"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/pgcell/pgcell/tools/internal/gotest"
	"github.com/pgcell/pgcell/tools/internal/history"
	"github.com/pgcell/pgcell/tools/internal/shard"
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

// record gives the file of a package: by the path that it was built from, so that all checkouts of a module share it.
func (c *Config) record() history.Record {
	name := c.Binary
	if info, err := buildinfo.ReadFile(c.Binary); err == nil && info.Path != "" {
		name = info.Main.Path + " " + info.Path
	} else if abs, err := filepath.Abs(c.Binary); err == nil {
		name = abs
	}
	return history.Record{Dir: c.Times, Name: name, Short: strings.TrimSuffix(path.Base(filepath.ToSlash(name)), ".test")}
}

// known reads what is recorded; nothing where there is none.
func (c *Config) known() *record {
	known, from := &record{}, c.record()
	if !from.Read(known) || known.Package != from.Name {
		return &record{}
	}
	return known
}

// past is what the last run has shown, for shard.Auto.
func (k *record) past(startUp time.Duration) shard.Past {
	seconds := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	return shard.Past{
		Wall: seconds(k.WallSeconds), CPU: seconds(k.CPUSeconds), Tests: seconds(k.TestSeconds), StartUp: startUp,
	}
}

// record writes what this run has shown.
func (r *run) record() error {
	to := r.config.record()
	next := &record{Package: to.Name, Tests: map[string]float64{}, Guessed: map[string]bool{}}
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
	return to.Write(next)
}

// measure takes in what one process has shown. Without -v a process names no test that passed: then what it took is
// shared among its tests, in the proportion that was expected, unless they were measured before.
func (r *run) measure(next *record, u unit, p *ran) {
	if !p.started {
		return
	}
	wall := max(0.001, (p.Took - r.plan.startUp).Seconds())
	next.WallSeconds += wall
	next.CPUSeconds += p.CPU.Seconds() / (1 - r.lacked) // on a busy machine, computing must not look like waiting
	var sum float64
	for _, test := range u.tests {
		o, named := p.report.Tests[test]
		_, known := next.Tests[test]
		switch {
		case o.Verb == gotest.Pass || o.Verb == gotest.Fail:
			next.Tests[test] = o.Took.Seconds() / float64(o.Times)
			delete(next.Guessed, test)
		case !named && !known && p.Code == 0:
			next.Tests[test], next.Guessed[test] = wall/float64(len(u.tests)), true
		}
		sum += next.Tests[test]
	}
	for _, test := range u.tests {
		if next.Guessed[test] && sum > 0 && p.Code == 0 {
			next.Tests[test] *= wall / sum
		}
		next.TestSeconds += next.Tests[test]
	}
}
