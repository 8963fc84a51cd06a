// Package testargs reads the arguments that "go test" calls test binaries with, for those that stand in for them.
package testargs

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Args are what a test binary is called with.
type Args struct {
	Flags map[string]string // of package testing, without "test.": the last value of each; "true" for one without a value
	Rest  []string          // all but the flags that each process gets anew, in order
	Last  int               // how many of Rest are flags and their values: another flag can follow them
}

// replaced are the flags that each process gets anew. The others are passed on as they are.
var replaced = []string{"run", "skip", "timeout", "shuffle", "coverprofile", "gocoverdir"}

// booleans are the flags of package testing that take no value from the next argument.
var booleans = []string{"v", "short", "failfast", "paniconexit0", "benchmem", "artifacts", "fullpath", "fuzzworker"}

// Parse reads the arguments that follow the name of a test binary, as package flag does: up to "--" or the first
// argument that can be neither a flag nor the value of one. What follows is the test's own.
func Parse(args []string) Args {
	a := Args{Flags: map[string]string{}}
	for i := 0; i < len(args); i++ {
		name, value, whole := strings.Cut(args[i], "=")
		plain := strings.TrimPrefix(strings.TrimPrefix(name, "-"), "-")
		if plain == "" || plain == name { // "--", "-", or no flag
			a.Rest = append(a.Rest, args[i:]...)
			return a
		}
		flag, testing := strings.CutPrefix(plain, "test.")
		given := args[i : i+1]
		switch {
		case whole:
		case testing && slices.Contains(booleans, flag):
			value = "true"
		case i+1 < len(args) && (testing || !strings.HasPrefix(args[i+1], "-")):
			i++ // a flag of the test's own may be a boolean, and then this is its first argument: nothing is lost
			value, given = args[i], args[i-1:i+1]
		}
		if testing {
			a.Flags[flag] = value
		}
		if !testing || !slices.Contains(replaced, flag) {
			a.Rest = append(a.Rest, given...)
			a.Last = len(a.Rest)
		}
	}
	return a
}

// Whole says why a call cannot be divided; "" where it can be.
func (a Args) Whole() string {
	for _, flag := range []string{"list", "bench", "fuzz", "fuzzworker"} {
		if a.Flags[flag] != "" {
			return "-test." + flag + " is given"
		}
	}
	for _, flag := range []string{"cpuprofile", "memprofile", "blockprofile", "mutexprofile", "trace", "testlogfile"} {
		if a.Flags[flag] != "" {
			return "-test." + flag + " writes one file, which several processes cannot share"
		}
	}
	if value, given := a.Flags["timeout"]; given {
		if _, err := time.ParseDuration(value); err != nil {
			return "-test.timeout is no duration" // the binary says it in its own words
		}
	}
	return ""
}

// Verbose reports whether results of all tests are printed; framed, whether with the framing of test2json.
func (a Args) Verbose() (verbose, framed bool) {
	return a.Flags["v"] != "" && a.Flags["v"] != "false", a.Flags["v"] == "test2json"
}

// FailFast reports whether no test is to start after a failure.
func (a Args) FailFast() bool {
	on, err := strconv.ParseBool(a.Flags["failfast"])
	return err == nil && on
}

// Timeout is the package's time-out; 0 for none.
func (a Args) Timeout() time.Duration {
	d, _ := time.ParseDuration(a.Flags["timeout"]) // 0 where it is not given
	return max(0, d)
}

// Seed gives the value of -test.shuffle for all processes: they must use the same seed; "" where tests are not
// shuffled.
func (a Args) Seed(now time.Time) string {
	switch value := a.Flags["shuffle"]; value {
	case "", "off":
		return ""
	case "on":
		return strconv.FormatInt(now.UnixNano(), 10)
	default:
		return value
	}
}
