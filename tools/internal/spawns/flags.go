package spawns

import (
	"regexp"
	"slices"
)

// otherLog is a flag for a log of executions.
var otherLog = regexp.MustCompile(`^--(experimental_)?execution_log_(binary|json|compact)_file`)

// Flags have Bazel write a log of executions that [Store.Keep] reads; none where one of the other flags that Bazel gets, or
// may get, has it write one elsewhere, since it refuses to write two. (The compact log would be smaller, but Debian's Bazel
// lacks a library for it.)
func Flags(log string, others []string) []string {
	if slices.ContainsFunc(others, otherLog.MatchString) {
		return nil
	}
	return []string{"--execution_log_binary_file=" + log, "--noexecution_log_sort"}
}
