package shard

import "strings"

// Args are the arguments of a test binary, as far as a plan has to know them.
type Args struct {
	// Run and Skip are the values of -test.run and -test.skip; nil where they are not given.
	Run, Skip *string
	// List reports whether -test.list is given: the binary is asked for its tests, and runs none.
	List bool
	// Rest are the arguments without -test.run and -test.skip.
	Rest []string
}

// ParseArgs reads the arguments that follow the name of a test binary. Of repeated flags the last one counts, as with
// Go's package flag.
func ParseArgs(args []string) Args {
	var a Args
	for i := 0; i < len(args); i++ {
		if args[i] == "--" {
			a.Rest = append(a.Rest, args[i:]...)
			break
		}
		name, value, whole := strings.Cut(args[i], "=")
		var target **string
		switch flagName(name) {
		case "test.run":
			target = &a.Run
		case "test.skip":
			target = &a.Skip
		case "test.list":
			a.List = true
		}
		if target == nil {
			a.Rest = append(a.Rest, args[i])
			continue
		}
		if !whole && i+1 < len(args) {
			i++
			value = args[i]
		}
		*target = &value
	}
	return a
}

// flagName strips the one or two dashes of a flag; an argument that is none has no name.
func flagName(argument string) string {
	name, ok := strings.CutPrefix(argument, "-")
	if !ok {
		return ""
	}
	return strings.TrimPrefix(name, "-")
}

// Filters gives the values of -test.run and -test.skip that rules_go makes of Bazel's --test_filter
// (TESTBRIDGE_TEST_ONLY): what is between its commas is to run, or to be skipped where it begins with "-".
func Filters(testFilter string) (run, skip string) {
	var runs, skips []string
	for _, f := range strings.Split(testFilter, ",") {
		if name, ok := strings.CutPrefix(f, "-"); ok {
			skips = append(skips, name)
		} else if testFilter != "" {
			runs = append(runs, f)
		}
	}
	return strings.Join(runs, "|"), strings.Join(skips, "|")
}

// Listed gives the names of tests, examples and fuzz targets in the output of -test.list. Benchmarks are left out, for
// -test.run does not select them, and so is all that a TestMain prints besides, unless it looks like such a name.
func Listed(output string) []string {
	var all []string
	for line := range strings.Lines(output) {
		name := strings.TrimRight(line, "\r\n")
		if isName(name) {
			all = append(all, name)
		}
	}
	return all
}

func isName(s string) bool {
	return !strings.ContainsAny(s, " \t:./") &&
		(strings.HasPrefix(s, "Test") || strings.HasPrefix(s, "Example") || strings.HasPrefix(s, "Fuzz"))
}
