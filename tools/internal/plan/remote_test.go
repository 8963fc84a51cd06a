package plan_test

import (
	"runtime"
	"slices"
	"testing"

	"github.com/pgcell/pgcell/tools/internal/plan"
)

func TestRemoteWorkers(t *testing.T) {
	t.Parallel()
	const byJobs = "they run remotely, as many as Bazel's --jobs"
	const unset = "they run remotely; -n, or Bazel's --jobs, sets how many the workers take"
	for _, c := range []struct {
		n, jobs string
		want    plan.Workers
		flags   []string
	}{
		{"auto", "50", plan.Workers{50, byJobs}, nil},
		{"auto", "", plan.Workers{runtime.NumCPU(), unset}, nil},
		{"auto", "HOST_CPUS*4", plan.Workers{runtime.NumCPU(), unset}, nil},
		{"1", "50", plan.Workers{1, ""}, []string{"--jobs=1"}},
		{"7", "", plan.Workers{7, ""}, []string{"--jobs=7"}},
	} {
		got, flags := plan.RemoteWorkers(c.n, c.jobs)
		if got != c.want || !slices.Equal(flags, c.flags) {
			t.Errorf("RemoteWorkers(%s, %q) = %+v, %q; want %+v, %q", c.n, c.jobs, got, flags, c.want, c.flags)
		}
	}
}
