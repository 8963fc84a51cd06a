// Command golden builds golden clusters for the rule pg_template.
//
//	golden build --spec SPEC.json --out FILE
//
// The specification is what the rule writes; see [spec]. It is a program of its own, so that a change to the pgcell
// command does not run anybody's migrations again.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/pgcell/pgcell/tools/internal/golden"
	"github.com/pgcell/pgcell/tools/internal/psql"
)

const usage = "usage: golden build --spec SPEC.json --out FILE"

func main() { os.Exit(run(os.Args[1:], os.Stderr)) }

// run gives the exit code: 0 built, 1 failed, 2 wrong usage.
func run(args []string, stderr io.Writer) int {
	flags := flag.NewFlagSet("golden", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprintln(stderr, usage) }
	specPath := flags.String("spec", "", "specification, as JSON")
	out := flags.String("out", "", "golden cluster to write")
	if len(args) == 0 || args[0] != "build" {
		flags.Usage()
		return 2
	}
	if err := flags.Parse(args[1:]); err != nil {
		return 2
	}
	if *specPath == "" || *out == "" || flags.NArg() > 0 {
		flags.Usage()
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := build(ctx, *specPath, *out, stderr); err != nil {
		fmt.Fprintln(stderr, "pgcell:", err)
		return 1
	}
	return 0
}

// build writes notes about what of the scripts is passed over to stderr, which Bazel shows.
func build(ctx context.Context, specPath, out string, stderr io.Writer) error {
	s, err := readSpec(specPath)
	if err != nil {
		return err
	}
	install, err := s.install(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", s.Label, err)
	}
	recipe, err := s.recipe()
	if err != nil {
		return fmt.Errorf("%s: %w", s.Label, err)
	}
	err = golden.BuildFile(ctx, out, install, recipe, golden.Options{
		RunfilesBinDir: s.Postgres.RunfilesBinDir,
		Note:           func(note string) { fmt.Fprintf(stderr, "pgcell: %s: %s\n", s.Label, note) },
	})
	var step *golden.MigrationError
	var failed *psql.Error
	if errors.As(err, &step) && errors.As(err, &failed) { // says all by itself, beginning with file:line
		return fmt.Errorf("%s: migration failed\n%w", s.Label, step)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", s.Label, err)
	}
	return nil
}
