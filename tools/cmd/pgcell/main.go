// Command pgcell runs PostgreSQL-backed test suites in parallel on Bazel.
//
// Goals: the flags that people know from pytest and pytest-xdist; results by test, not by target;
// one closing line that is the same for fresh and for cached results. Non-goals: deciding what has to
// run again, and where: that is Bazel's; no flag of it changes a cache key, save a filter by name.
package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// Exit codes. They stand in the help text of "pgcell run".
const (
	exitPassed      = 0
	exitFailed      = 1
	exitUsage       = 2
	exitBuild       = 4
	exitNoTests     = 5
	exitInterrupted = 130
)

// now is the clock; the tests stop it.
var now = time.Now

func main() {
	outliveReaders()
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Environ()))
}

// run is the whole command: args without the program's name, env as in os.Environ. It returns the
// exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer, env []string) int {
	p := &program{stdout: stdout, stderr: stderr, env: env}
	root := p.rootCommand()
	if len(args) > 0 && args[0] == "run" {
		var err error
		p.runArgs = args[1:]
		if args, p.config, err = p.withAddopts(args[1:]); err != nil {
			return p.fail(err)
		}
		args = append([]string{"run"}, args...)
	}
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	if err := root.Execute(); err != nil {
		return p.fail(err)
	}
	return p.code
}

// fail prints an error and gives its exit code. cobra's own errors are all about usage.
func (p *program) fail(err error) int {
	code, name := exitUsage, "pgcell"
	var coded *codedError
	if errors.As(err, &coded) {
		code, name = coded.code, cmp.Or(coded.command, "pgcell run")
	}
	fmt.Fprintf(p.stderr, "%s: %v\n", name, err)
	return code
}

// program is what the commands share.
type program struct {
	stdout, stderr io.Writer
	env            []string
	code           int      // the exit code when no error is returned
	runArgs        []string // of "pgcell run", as the user wrote them
	config         *config  // of the workspace; nil outside of "pgcell run"
}

// getenv gives the last value of name in the environment, and "" where it is not set.
func (p *program) getenv(name string) string {
	for i := len(p.env) - 1; i >= 0; i-- {
		if key, value, _ := strings.Cut(p.env[i], "="); key == name {
			return value
		}
	}
	return ""
}

func (p *program) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "pgcell",
		Short:         "PostgreSQL test suites in parallel on Bazel",
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("unknown command %q: the commands are listed by --help; tests are run by \"run\"", args[0])
			}
			return nil
		},
		RunE: func(*cobra.Command, []string) error {
			return errors.New(`no command given: "run" runs the tests, --help lists the commands`)
		},
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		return usage("%w: --help lists the flags; flags for Bazel itself go after --", err)
	})
	root.AddCommand(p.runCommand(), p.compareCommand(), p.doctorCommand(), p.gcCommand(), p.timingsCommand(),
		p.matrixCommand())
	return root
}

// codedError is an error with an exit code of its own.
type codedError struct {
	code    int
	err     error
	command string // whose error it is; "pgcell run" where it is empty
}

func (e *codedError) Error() string { return e.err.Error() }
func (e *codedError) Unwrap() error { return e.err }

// usage makes an error for a wrong command line.
func usage(format string, args ...any) error {
	return &codedError{code: exitUsage, err: fmt.Errorf(format, args...)}
}
