package run

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/plan"
	"github.com/pgcell/pgcell/tools/internal/selection"
)

// bazelArgs gives the arguments of one call. Flags of the user come last and so win.
//
// "bazel test" and "pgcell run" share every result, and Bazel's analysis of the workspace: so none of these flags is
// part of the configuration of targets, as --test_env, --test_filter and --cache_test_results are, unless the user
// asked for it.
func (s *session) bazelArgs(inv *selection.Invocation, events string) []string {
	var args []string
	o := s.o
	args = append(args, "test",
		"--build_event_json_file="+events,
		"--nobuild_event_json_file_path_conversion", // local paths, also with a remote cache
		`--remote_download_regex=.*/((test|attempt_[0-9]+)\.(log|xml)|test\.outputs/.*)`,
		"--test_summary=none",
		"--local_termination_grace_seconds=1", // Ctrl-C, --maxfail: rules_go's tests sit SIGTERM out
		"--show_result=0",
	)
	args = append(args, s.executionFlags(events)...)
	rate := "5"
	if s.bar.Active() {
		rate = "0.5"
	}
	args = append(args, "--ui_event_filters=-info,-pass,-fail,-timeout", "--curses=no",
		"--show_progress_rate_limit="+rate)
	args = append(args, s.workerFlags...)
	args = append(args, o.bazelFlags(s.workers, inv.Postgres)...)
	if !o.Selection.All {
		args = append(args, "--build_tests_only")
		if tags := o.Selection.Excluded(); len(tags) > 0 {
			args = append(args, "--test_tag_filters=-"+strings.Join(tags, ",-"))
		}
	}
	if len(inv.Names) > 0 {
		args = append(args, "--test_filter="+inv.Filter())
	}
	args = append(args, o.Bazel...)
	args = append(args, "--")
	return append(args, inv.Patterns...)
}

// bazelFlags gives Bazel's flags for those of this command that it passes on; postgres is that of this call.
func (o *Options) bazelFlags(w plan.Workers, postgres string) []string {
	var flags []string
	switch o.Dist {
	case "loadfile":
		flags = append(flags, "--test_sharding_strategy=disabled")
	case "worksteal":
		flags = append(flags, fmt.Sprintf("--test_sharding_strategy=forced=%d", min(4*w.Count, plan.MaxShards)))
	}
	if o.Stress > 0 {
		flags = append(flags, fmt.Sprintf("--runs_per_test=%d", o.Stress))
	}
	if o.Rerun > 0 {
		flags = append(flags, fmt.Sprintf("--flaky_test_attempts=%d", o.Rerun+1))
	}
	if o.NoCache {
		flags = append(flags, "--cache_test_results=no")
	}
	if o.Keep {
		// The sandbox has a /tmp of its own, where nobody else reaches the server's socket.
		flags = append(flags, "--test_env=PGCELL_KEEP=1", "--sandbox_add_mount_pair=/tmp")
	}
	if filepath.IsAbs(postgres) {
		flags = append(flags, "--@pgcell//tools/rules:postgres=host", "--test_env=PGCELL_POSTGRES="+postgres)
	} else if postgres != "" {
		flags = append(flags, "--@pgcell//tools/rules:postgres="+postgres)
	}
	return flags
}
