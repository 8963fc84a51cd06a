package split

import (
	"cmp"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/kballard/go-shellquote"

	"github.com/pgcell/pgcell/tools/internal/history"
	"github.com/pgcell/pgcell/tools/internal/shard"
)

// longest is how many bytes of names one process is given: Linux takes 128 KiB for one argument, and 2 MiB for all.
const longest = 100 << 10

// plan is which files run in which process.
type plan struct {
	groups  [][]string // in the order in which they are shown
	weights []time.Duration
	workers int // how many run at once
	known   record
}

// record is what is known of a command from earlier runs.
type record struct {
	Command string             `json:"command"`
	Files   map[string]float64 `json:"files"`           // seconds of a file, without the start of its process
	Alone   map[string]bool    `json:"alone,omitempty"` // files whose time was measured by themselves

	StartSeconds float64 `json:"start_seconds"` // of a process; the mean of runs, the last counting half

	// Of the last run, all processes together, without their starts.
	WallSeconds float64 `json:"wall_seconds"`
	CPUSeconds  float64 `json:"cpu_seconds"`
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// record names the file of a command in the working directory.
func (c *Config) record() history.Record {
	cwd, _ := os.Getwd() // where it is not known, neither are the files
	name := cwd + " " + shellquote.Join(c.Command...)
	return history.Record{Dir: c.Times, Name: name, Short: filepath.Base(cwd) + "-" + filepath.Base(c.Command[0])}
}

func (c *Config) known() record {
	var known record
	if from := c.record(); !from.Read(&known) || known.Command != from.Name || known.Files == nil {
		known = record{Files: map[string]float64{}}
	}
	return known
}

// plan divides the files.
func (c *Config) plan() plan {
	p := plan{known: c.known()}
	times, sum := map[string]time.Duration{}, 0.0
	for _, file := range c.Files {
		if s, ok := p.known.Files[file]; ok {
			times[file] = seconds(s)
			sum += s
		}
	}
	p.workers = c.Shards
	if c.Shards == 0 {
		past := shard.Past{
			Wall: seconds(p.known.WallSeconds), CPU: seconds(p.known.CPUSeconds), Tests: seconds(sum), StartUp: seconds(p.known.StartSeconds),
		}
		if each(c.Command) {
			past.StartUp = 0 // there are as many starts anyway
		}
		p.workers = shard.Auto(c.Files, times, past, runtime.GOMAXPROCS(0))
	}
	p.workers = max(1, min(p.workers, len(c.Files)))
	shares := max(p.workers, len(strings.Join(c.Files, " "))/longest+1)
	if each(c.Command) {
		shares = len(c.Files)
	}
	dealt := slices.DeleteFunc(shard.Deal(c.Files, times, shares), func(share []string) bool { return len(share) == 0 })
	slices.SortFunc(dealt, slices.Compare) // the order in which they are shown does not depend on times
	for _, share := range dealt {
		weights, _ := shard.Weigh(share, times)
		var weight time.Duration
		for _, w := range weights {
			weight += w
		}
		p.groups, p.weights = append(p.groups, share), append(p.weights, weight)
	}
	return p
}

// learn takes in what a run has shown. startUp is how long a process took to start.
func (r *run) learn(startUp time.Duration) error {
	to := r.config.record()
	next := r.plan.known
	next.Command, next.WallSeconds, next.CPUSeconds = to.Name, 0, 0
	if next.Alone == nil {
		next.Alone = map[string]bool{}
	}
	if old := next.StartSeconds; startUp > 0 {
		next.StartSeconds = (cmp.Or(old, startUp.Seconds()) + startUp.Seconds()) / 2
	}
	for file := range next.Files {
		if _, err := os.Stat(file); err != nil {
			delete(next.Files, file)
			delete(next.Alone, file)
		}
	}
	for i, group := range r.plan.groups {
		if r.ran[i].started {
			next.measure(group, r.ran[i], r.lacked)
		}
	}
	return to.Write(next)
}

// measure takes in what one process has shown. The runner names no file, so what the process took is divided among its
// files, in the proportion that was expected; files that ran alone before keep their time.
func (k *record) measure(group []string, p *ran, lacked float64) {
	wall := max(0.001, p.Took.Seconds()-k.StartSeconds)
	k.WallSeconds += wall
	k.CPUSeconds += p.CPU.Seconds() / (1 - lacked) // on a busy machine, computing must not look like waiting
	if len(group) == 1 {
		k.Files[group[0]], k.Alone[group[0]] = wall, true
		return
	}
	times := map[string]time.Duration{}
	for _, file := range group {
		if s, ok := k.Files[file]; ok {
			times[file] = seconds(s)
		}
	}
	weights, known := shard.Weigh(group, times)
	if p.Code != 0 && known == len(group) {
		return // it may have ended early
	}
	var alone, others float64
	for i, file := range group {
		if known == 0 {
			weights[i] = time.Second
		}
		if k.Alone[file] {
			alone += weights[i].Seconds()
		} else {
			others += weights[i].Seconds()
		}
	}
	left := wall - alone
	if others == 0 || left <= 0 { // what was measured holds no longer
		alone, others, left = 0, alone+others, wall
	}
	for i, file := range group {
		if alone == 0 || !k.Alone[file] {
			k.Files[file] = weights[i].Seconds() * left / max(others, 0.001)
		}
	}
}
