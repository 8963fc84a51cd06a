// Command bench measures what isolation costs: pgcell's ways, pgtestdb, and no isolation at all, side by side.
//
//	bazel run //tools/bench
//	cd tools/bench && go run .
//
// It prints tables that are Markdown as well. docs/performance.md has those of one run, and says what they mean. It is
// a Go module of its own, so that who uses pgcell does not inherit pgtestdb.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"syscall"
	"time"

	"github.com/pgcell/pgcell/tools/internal/binaries"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// options are what the command line says.
type options struct {
	quick       bool
	long        bool
	json, svg   string // files to write; "" for none
	profile     string // of the processor time of this process
	methods     string // separated by commas; "" for all
	bodies      string // likewise
	repetitions int
	window      time.Duration // of each measurement
	tests       int           // of -long
}

const usage = `Usage: bench [flags]

Measures how fast tests get a database of their own, and how many run in a second: for pgcell with recycling, with
clones made ahead and on demand, for rollback, for pgtestdb, and for no isolation at all (the floor). PostgreSQL is
found as pgcell finds it; PGCELL_POSTGRES names another directory of binaries. Takes about 7 minutes; nothing else
should run.

`

var errUsage = errors.New("wrong usage")

func parse(args []string, stderr io.Writer) (o options, err error) {
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Usage = func() {
		fmt.Fprint(stderr, usage)
		f.PrintDefaults()
	}
	f.BoolVar(&o.quick, "quick", false, "measure far too shortly, to see whether the bench itself works")
	f.BoolVar(&o.long, "long", false, "run many tests in one process instead, and look what grows")
	f.StringVar(&o.json, "json", "", "write the results to this `file`, for machines")
	f.StringVar(&o.svg, "svg", "", "draw tests a second against parallelism into this `file`")
	f.StringVar(&o.profile, "cpuprofile", "", "write a profile of this process's processor time to this `file`")
	f.StringVar(&o.methods, "methods", "", list(methods)+"; ratios need floor and pgtestdb")
	f.StringVar(&o.bodies, "bodies", "", list(bodies))
	f.IntVar(&o.repetitions, "repetitions", 5, "how often each is measured; the median counts")
	f.DurationVar(&o.window, "time", 500*time.Millisecond, "how long each measurement takes")
	f.IntVar(&o.tests, "tests", 10_000, "how many tests -long runs; at least 10")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	known := known(o.methods, names(methods)) && known(o.bodies, names(bodies))
	if !known || f.NArg() > 0 || o.repetitions < 1 || o.window <= 0 || o.tests < 10 {
		f.Usage()
		return o, errUsage
	}
	if o.quick {
		o.repetitions, o.window, o.tests = 1, 30*time.Millisecond, min(o.tests, 100)
	}
	return o, nil
}

func run(args []string, stdout, stderr io.Writer) int {
	if child := os.Getenv(childEnv); child != "" {
		return report(stderr, memoryChild(child, stdout))
	}
	o, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return 0
	case err != nil:
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err = bench(ctx, o, args, stdout, stderr)
	if ctx.Err() != nil {
		err = fmt.Errorf("stopped before its end, and nothing is written: %w", context.Cause(ctx))
	}
	return report(stderr, err)
}

// report tells of an error and gives the exit code.
func report(stderr io.Writer, err error) int {
	if err != nil {
		fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	return 0
}

// bench does what the options say, until ctx ends.
func bench(ctx context.Context, o options, args []string, stdout, stderr io.Writer) error {
	if o.profile != "" {
		f, err := os.Create(atHome(o.profile))
		if err != nil {
			return fmt.Errorf("profile: %w", err)
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return fmt.Errorf("profile: %w", err)
		}
		defer pprof.StopCPUProfile()
	}
	dir, err := os.MkdirTemp("", "pgcell-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	install, err := binaries.Find(ctx, binaries.DefaultSearch(os.Getenv))
	if err != nil {
		return err
	}
	clearEnvironment()
	r := &runner{ctx: ctx, options: o, install: install, dir: dir, progress: stderr}
	result := newResult(install, "bench "+strings.Join(args, " "))
	if o.long {
		err = r.long(&result)
	} else {
		err = r.compare(&result)
	}
	if err != nil {
		return err
	}
	result.Load = append(result.Load, load())
	result.print(stdout)
	return result.write(o)
}

// clearEnvironment takes away what would make pgcell do something else than it does by default.
func clearEnvironment() {
	for _, name := range []string{
		"PGCELL_TEMPLATE", "PGCELL_RECYCLE", "PGCELL_LOG", "PGCELL_KEEP", "TEST_UNDECLARED_OUTPUTS_DIR",
	} {
		os.Unsetenv(name)
	}
}

// atHome gives the path of a file that the user named: bazel run changes the directory.
func atHome(path string) string {
	if base := os.Getenv("BUILD_WORKING_DIRECTORY"); base != "" && !filepath.IsAbs(path) {
		return filepath.Join(base, path)
	}
	return path
}
