package divide

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// arguments are what a test binary is called with.
type arguments struct {
	flags map[string]string // of package testing, without "test.": the last value of each; "true" for one without a value
	rest  []string          // what Run does not set anew for each process, in order
	last  int               // how many of rest are flags: another one can follow them
}

// replaced are the flags that each process gets anew. The others are passed on as they are.
var replaced = []string{"run", "skip", "timeout", "shuffle", "coverprofile", "gocoverdir"}

// booleans are the flags of package testing that take no value from the next argument.
var booleans = []string{"v", "short", "failfast", "paniconexit0", "benchmem", "artifacts", "fullpath", "fuzzworker"}

// parseArgs reads the arguments that follow the name of a test binary, as package flag does: up to "--" or the first
// argument that can be neither a flag nor the value of one. What follows is the test's own.
func parseArgs(args []string) arguments {
	a := arguments{flags: map[string]string{}}
	for i := 0; i < len(args); i++ {
		name, value, whole := strings.Cut(args[i], "=")
		plain := strings.TrimPrefix(strings.TrimPrefix(name, "-"), "-")
		if plain == "" || plain == name { // "--", "-", or no flag
			a.rest = append(a.rest, args[i:]...)
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
			a.flags[flag] = value
		}
		if !testing || !slices.Contains(replaced, flag) {
			a.rest = append(a.rest, given...)
			a.last = len(a.rest)
		}
	}
	return a
}

// whole says why a call cannot be divided; "" where it can be.
func (a arguments) whole() string {
	for _, flag := range []string{"list", "bench", "fuzz", "fuzzworker"} {
		if a.flags[flag] != "" {
			return "-test." + flag + " is given"
		}
	}
	for _, flag := range []string{"cpuprofile", "memprofile", "blockprofile", "mutexprofile", "trace", "testlogfile"} {
		if a.flags[flag] != "" {
			return "-test." + flag + " writes one file, which several processes cannot share"
		}
	}
	if value, given := a.flags["timeout"]; given {
		if _, err := time.ParseDuration(value); err != nil {
			return "-test.timeout is no duration" // the binary says it in its own words
		}
	}
	return ""
}

// verbose reports whether results of all tests are printed; framed, whether with the framing of test2json.
func (a arguments) verbose() (verbose, framed bool) {
	return a.flags["v"] != "" && a.flags["v"] != "false", a.flags["v"] == "test2json"
}

func (a arguments) failFast() bool {
	on, err := strconv.ParseBool(a.flags["failfast"])
	return err == nil && on
}

// timeout is the package's time-out; 0 for none.
func (a arguments) timeout() time.Duration {
	d, _ := time.ParseDuration(a.flags["timeout"]) // 0 where it is not given
	return max(0, d)
}

// seed gives the value of -test.shuffle for all processes: they must use the same seed; "" where tests are not
// shuffled.
func (a arguments) seed(now time.Time) string {
	switch value := a.flags["shuffle"]; value {
	case "", "off":
		return ""
	case "on":
		return strconv.FormatInt(now.UnixNano(), 10)
	default:
		return value
	}
}
