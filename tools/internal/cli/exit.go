package cli

import (
	"errors"
	"fmt"
	"io"
)

// Exit codes, see Codes.
const (
	Passed      = 0
	Failed      = 1
	WrongUsage  = 2
	BuildFailed = 4
	NoTests     = 5
	Interrupted = 130
)

// Codes says what the exit codes mean, for the help text and the documentation.
var Codes = []struct {
	Code    int
	Meaning string
}{
	{Passed, "all passed"},
	{Failed, "at least one test failed"},
	{WrongUsage, "wrong usage: a flag, a path, a target that does not exist"},
	{BuildFailed, "no result: the build failed, Bazel could not run, or a file could not be written"},
	{NoTests, "no tests were found"},
	{Interrupted, "interrupted (Ctrl-C)"},
}

// Error is an error with an exit code of its own.
type Error struct {
	Code int
	Err  error // nil if everything has been said already
}

func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit code %d", e.Code)
	}
	return e.Err.Error()
}

// Unwrap gives the error without its code.
func (e *Error) Unwrap() error { return e.Err }

// Usage makes an error for a wrong command line.
func Usage(format string, args ...any) error {
	return &Error{Code: WrongUsage, Err: fmt.Errorf(format, args...)}
}

// Broken makes an error for a build that failed, or a Bazel that could not run.
func Broken(format string, args ...any) error {
	return &Error{Code: BuildFailed, Err: fmt.Errorf(format, args...)}
}

// Exit gives an error that says nothing and has the exit code; nil for Passed.
func Exit(code int) error {
	if code == Passed {
		return nil
	}
	return &Error{Code: code}
}

// Report writes an error of a command, such as "pgcell run", on one line and gives its exit code, Passed for none. An
// error without a code is one of usage: so are all of the flag parser.
func Report(w io.Writer, command string, err error) int {
	if err == nil {
		return Passed
	}
	var coded *Error
	if !errors.As(err, &coded) {
		fmt.Fprintf(w, "%s: %v\n", command, err)
		return WrongUsage
	}
	if coded.Err != nil {
		fmt.Fprintf(w, "%s: %v\n", command, err)
	}
	return coded.Code
}
