package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// findBazel gives the Bazel to call. What is on PATH goes first, for Bazelisk calls the workspace's
// tools/bazel itself and tells it what it needs to know.
func (p *program) findBazel(w *workspace) (string, error) {
	if bazel := p.getenv("PGCELL_BAZEL"); bazel != "" {
		if _, err := exec.LookPath(bazel); err != nil {
			return "", bazelError("PGCELL_BAZEL: %w: name a program that can be run, or unset it", err)
		}
		return bazel, nil
	}
	for _, dir := range filepath.SplitList(p.getenv("PATH")) {
		for _, name := range []string{"bazelisk", "bazel"} {
			if path := filepath.Join(dir, name); filepath.IsAbs(dir) && executable(path) {
				return path, nil
			}
		}
	}
	if path := filepath.Join(w.root, "tools", "bazel"); executable(path) {
		return path, nil
	}
	return "", bazelError("find Bazel: neither bazelisk nor bazel is on PATH, and %s has no tools/bazel: "+
		"install Bazelisk, or name a Bazel in PGCELL_BAZEL", w.root)
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}

// bazelEnv is the environment for Bazel: without what "bazel run" set for this command.
func (p *program) bazelEnv(o *options) []string {
	var env []string
	for _, e := range p.env {
		if !strings.HasPrefix(e, "BUILD_WORKING_DIRECTORY=") && !strings.HasPrefix(e, "BUILD_WORKSPACE_DIRECTORY=") {
			env = append(env, e)
		}
	}
	if filepath.IsAbs(o.postgres) {
		env = append(env, "PGCELL_POSTGRES="+o.postgres) // read by the module extension postgres
	}
	return env
}

// bazelArgs gives the arguments of one call. Flags of the user come last and so win.
func (s *session) bazelArgs(inv *invocation, events string) []string {
	var args []string
	o := s.o
	if o.noWait {
		args = append(args, "--noblock_for_lock")
	}
	args = append(args, "test",
		"--build_event_json_file="+events,
		"--nobuild_event_json_file_path_conversion", // local paths, also with a remote cache
		`--remote_download_regex=.*/((test|attempt_[0-9]+)\.(log|xml)|test\.outputs/.*)`,
		"--test_env=GO_TEST_WRAP_TESTV=1", // else rules_go leaves passed tests out of test.xml
		"--test_output=summary",
		"--test_summary=none",
		"--local_termination_grace_seconds=1", // Ctrl-C, --maxfail: rules_go's tests sit SIGTERM out
		"--show_result=0",
	)
	rate := "5"
	if s.screen.bar {
		rate = "0.5"
	}
	args = append(args, "--ui_event_filters=-info,-pass,-fail,-timeout", "--curses=no",
		"--show_progress_rate_limit="+rate)
	args = append(args, s.workers.bazelFlags()...)
	args = append(args, s.o.bazelFlags(s.workers)...)
	if !o.all {
		args = append(args, "--build_tests_only")
		if o.everywhere() {
			args = append(args, "--test_tag_filters=-e2e")
		}
	}
	if len(inv.names) > 0 {
		args = append(args, "--test_filter="+inv.filter())
	}
	args = append(args, o.bazel...)
	args = append(args, "--")
	return append(args, inv.patterns...)
}

// bazelFlags gives Bazel's flags for those of this command that it passes on.
func (o *options) bazelFlags(w workers) []string {
	var flags []string
	switch o.dist {
	case "loadfile":
		flags = append(flags, "--test_sharding_strategy=disabled")
	case "worksteal":
		flags = append(flags, fmt.Sprintf("--test_sharding_strategy=forced=%d", min(4*w.count, maxShards)))
	}
	if o.stress > 0 {
		flags = append(flags, fmt.Sprintf("--runs_per_test=%d", o.stress))
	}
	if o.rerun > 0 {
		flags = append(flags, fmt.Sprintf("--flaky_test_attempts=%d", o.rerun+1))
	}
	if o.noCache {
		flags = append(flags, "--cache_test_results=no")
	}
	if o.keep {
		// The sandbox has a /tmp of its own, where nobody else reaches the server's socket.
		flags = append(flags, "--test_env=PGCELL_KEEP=1", "--sandbox_add_mount_pair=/tmp")
	}
	if filepath.IsAbs(o.postgres) {
		flags = append(flags, "--@pgcell//tools/rules:postgres=host", "--test_env=PGCELL_POSTGRES="+o.postgres)
	} else if o.postgres != "" {
		flags = append(flags, "--@pgcell//tools/rules:postgres="+o.postgres)
	}
	return flags
}

// maxShards is Bazel's own limit for one target.
const maxShards = 50
