package plan

import (
	"runtime"
	"strconv"
)

// RemoteWorkers turns a value of -n, which ParseWorkers accepts, into a number where tests run remotely, and gives Bazel's
// flags for it. The cores and the memory of this machine do not matter there: with auto, Bazel's own --jobs holds, and there
// is no flag. jobs is its value; empty where nobody has set it.
func RemoteWorkers(n, jobs string) (Workers, []string) {
	fixed, _ := ParseWorkers(n)
	if n == "logical" {
		fixed = runtime.NumCPU()
	}
	if fixed > 0 {
		return Workers{Count: fixed}, []string{"--jobs=" + strconv.Itoa(fixed)}
	}
	if count, err := strconv.Atoi(jobs); err == nil && count > 0 {
		return Workers{count, "they run remotely, as many as Bazel's --jobs"}, nil
	}
	return Workers{runtime.NumCPU(), "they run remotely; -n, or Bazel's --jobs, sets how many the workers take"}, nil
}
