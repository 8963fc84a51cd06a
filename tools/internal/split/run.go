package split

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/kballard/go-shellquote"

	"github.com/pgcell/pgcell/tools/internal/child"
	"github.com/pgcell/pgcell/tools/internal/lend"
	"github.com/pgcell/pgcell/tools/internal/merge"
	"github.com/pgcell/pgcell/tools/internal/shard"
	"github.com/pgcell/pgcell/tools/internal/usage"
)

// run is a plan that runs.
type run struct {
	config         Config
	dir            string // of the broker
	plan           plan
	signals        *child.Signals
	stdout, stderr *merge.Queue // the same where both are one file
	errors         io.Writer
	ran            []*ran
	lacked         float64 // see usage.WatchStalls
}

// ran is one process of a run.
type ran struct {
	child.Ended
	started bool
}

func newRun(c Config, dir string, stdout, stderr io.Writer) *run {
	r := &run{config: c, dir: dir, plan: c.plan(), errors: stderr}
	r.stdout = merge.NewQueue(stdout, len(r.plan.groups))
	r.stderr = r.stdout
	if !merge.OneStream(stdout, stderr) {
		r.stderr = merge.NewQueue(stderr, len(r.plan.groups))
	}
	for range r.plan.groups {
		r.ran = append(r.ran, &ran{})
	}
	return r
}

// part is the output of one process.
type part struct {
	queue *merge.Queue
	i     int
}

func (p part) Write(text []byte) (int, error) {
	p.queue.Write(p.i, text)
	return len(text), nil
}

// all runs all processes, the longest first, as many at once as the plan says, and says how they ended.
func (r *run) all() (code int, sig os.Signal) {
	r.signals = child.PassSignals()
	stalls := usage.WatchStalls()
	places := make(chan struct{}, r.plan.workers)
	var wg sync.WaitGroup
	for _, i := range shard.LongestFirst(r.plan.weights) {
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			if r.signals.Received() == nil {
				r.one(i)
			}
			r.stdout.End(i)
			if r.stderr != r.stdout {
				r.stderr.End(i)
			}
		})
	}
	wg.Wait()
	r.lacked = stalls()
	sig = r.signals.Received()
	r.signals.Stop()
	err := r.stdout.Finish(nil)
	if err != nil {
		fmt.Fprintf(r.errors, "pgcell exec: write the output of the processes: %v\n", err)
	}
	if sig == nil && r.config.Times != "" {
		startUp, _ := lend.StartUp(r.dir) // 0 where it is not known
		if err := r.learn(startUp); err != nil {
			fmt.Fprintf(r.errors, "pgcell exec: %v\n", err)
		}
	}
	code = r.failures()
	if err != nil && code == 0 {
		code = 1
	}
	return code, sig
}

// one runs a group.
func (r *run) one(i int) {
	command := with(r.config.Command, r.plan.groups[i])
	cmd := exec.Command(filepath.Join(r.dir, GroupName), command...)
	cmd.Stdout, cmd.Stderr = part{r.stdout, i}, part{r.stderr, i}
	p := r.ran[i]
	p.started = true
	var err error
	if p.Ended, err = r.signals.Run(cmd, nil); err != nil {
		p.Code = failed
		fmt.Fprintf(cmd.Stderr, "pgcell exec: %v\n", err)
	}
}

// shown is the most commands that a message has.
const shown = 20

// failures gives the exit code of the first process that failed, and says how to run those that did again.
func (r *run) failures() (code int) {
	var failed []string
	for i, p := range r.ran {
		if !p.started || p.Code == 0 {
			continue
		}
		if code == 0 {
			code = p.Code
		}
		failed = append(failed, fmt.Sprintf("  %s %s  # exit code %d\n",
			r.config.Again, shellquote.Join(with(r.config.Command, r.plan.groups[i])...), p.Code))
	}
	if len(failed) == 0 || len(r.ran) == 1 || r.signals.Received() != nil {
		return code
	}
	fmt.Fprintf(r.errors, "pgcell: %d of %d processes failed; to run them again:\n%s",
		len(failed), len(r.ran), strings.Join(failed[:min(shown, len(failed))], ""))
	if more := len(failed) - shown; more > 0 {
		fmt.Fprintf(r.errors, "  and %d more\n", more)
	}
	return code
}
