package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

// childEnv has the bench measure memory in a process of its own, with a single server; its value is a [childJob].
const childEnv = "PGCELL_BENCH_CHILD"

type childJob struct {
	Golden   string
	Parallel int
	Window   time.Duration
}

// memory is what one worker, a test process with its server, takes: the most that was seen while tests ran. In bytes.
type memory struct {
	Workers   int   `json:"workers"` // at work at the same time; the figures are of the one that took most
	Parallel  int   `json:"parallel"`
	Server    int64 `json:"server"` // all of its processes, those that serve the pools among them
	Keeper    int64 `json:"keeper"` // of that, this program's own process, which ends the server
	Processes int   `json:"processes"`
	Test      int64 `json:"test_process"` // this is a Go program, with pgx and pgcell
	Data      int64 `json:"data"`         // in the tmpfs
}

// memory measures what a worker takes, before there is another server: what servers share counts as a part for each. So
// one is measured alone, and one beside another, as in a run on two cores.
func (r *runner) memory(result *result) error {
	if r.options.methods != "" && !chosen(r.options.methods, "recycling") {
		return nil
	}
	path, err := r.golden(small, "memory")
	if err != nil {
		return err
	}
	cases := []memory{{Workers: 1, Parallel: 1}, {Workers: 2, Parallel: 1}, {Workers: 1, Parallel: 4}, {Workers: 1, Parallel: 8}}
	if r.options.quick {
		cases = cases[1:3]
	}
	for _, c := range cases {
		fmt.Fprintf(r.progress, "bench: memory, workers %d, tests at once %d\n", c.Workers, c.Parallel)
		m, err := runChildren(r.ctx, c.Workers, childJob{path, c.Parallel, 4 * r.options.window})
		if err != nil {
			return fmt.Errorf("measure memory: %w", err)
		}
		result.Memory = append(result.Memory, m)
	}
	return nil
}

// runChildren measures several workers at the same time, and gives the one whose server took most.
func runChildren(ctx context.Context, workers int, job childJob) (most memory, err error) {
	all, failed := make([]memory, workers), make([]error, workers)
	var running sync.WaitGroup
	for i := range workers {
		running.Go(func() { all[i], failed[i] = runChild(ctx, job) })
	}
	running.Wait()
	for _, m := range all {
		if m.Server > most.Server {
			most = m
		}
	}
	most.Workers = workers
	return most, errors.Join(failed...)
}

func runChild(ctx context.Context, job childJob) (m memory, err error) {
	text, err := json.Marshal(job)
	if err != nil {
		return m, err
	}
	self, err := os.Executable()
	if err != nil {
		return m, err
	}
	var out, complaint bytes.Buffer
	cmd := exec.CommandContext(ctx, self)
	cmd.Env = append(os.Environ(), childEnv+"="+string(text))
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Run(); err != nil {
		return m, fmt.Errorf("%w: %s", err, complaint.Bytes())
	}
	return m, json.Unmarshal(out.Bytes(), &m)
}

// memoryChild runs tests and writes what they and the server take.
func memoryChild(text string, out io.Writer) error {
	var job childJob
	if err := json.Unmarshal([]byte(text), &job); err != nil {
		return err
	}
	os.Unsetenv(childEnv)
	os.Setenv("PGCELL_TEMPLATE", job.Golden)
	r := &runner{ctx: context.Background(), options: options{window: job.Window}}
	given := method{"recycling", "", func(*runner, body, int) (func(*test) querier, func() error, error) {
		return newCell, nothing, nil
	}}
	done := make(chan error, 1)
	go func() {
		_, err := r.measure(given, bodies[0], job.Parallel)
		done <- err
	}()
	m := memory{Parallel: job.Parallel}
	for {
		select {
		case err := <-done:
			m.look() // at least once
			if err != nil {
				return err
			}
			return json.NewEncoder(out).Encode(m)
		case <-time.After(50 * time.Millisecond):
			m.look()
		}
	}
}

// look keeps the most that was seen.
func (m *memory) look() {
	all := descendants()
	var server, keeper int64
	for _, pid := range all {
		size := pss(pid)
		server += size
		if runsThis(pid) {
			keeper += size
		}
	}
	if server > m.Server {
		m.Server, m.Keeper, m.Processes = server, keeper, len(all)
	}
	m.Test = max(m.Test, pss(os.Getpid()))
	m.Data = max(m.Data, dataSize(all))
}

func (r result) printMemory(w io.Writer) {
	g := grid{head: []string{"workers", "tests at once", "server MB", "of it keeper", "processes", "test process MB", "data MB"}}
	for _, m := range r.Memory {
		g.add(fmt.Sprint(m.Workers), fmt.Sprint(m.Parallel), megabytes(m.Server), megabytes(m.Keeper), fmt.Sprint(m.Processes),
			megabytes(m.Test), megabytes(m.Data))
	}
	g.print(w)
}
