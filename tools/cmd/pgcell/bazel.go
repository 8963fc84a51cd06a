package main

import (
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
func (p *program) bazelEnv() []string {
	var env []string
	for _, e := range p.env {
		if !strings.HasPrefix(e, "BUILD_WORKING_DIRECTORY=") && !strings.HasPrefix(e, "BUILD_WORKSPACE_DIRECTORY=") {
			env = append(env, e)
		}
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
		`--remote_download_regex=.*/(test|attempt_[0-9]+)\.(log|xml)`,
		"--test_env=GO_TEST_WRAP_TESTV=1", // else rules_go leaves passed tests out of test.xml
		"--test_output=summary",
		"--test_summary=none",
		"--local_termination_grace_seconds=5", // Ctrl-C: rules_go's tests sit SIGTERM out
		"--show_result=0",
	)
	if s.terminal {
		color := "yes"
		if s.getenv("NO_COLOR") != "" {
			color = "no"
		}
		// Said, for Bazel wants both of its outputs on the terminal before it finds out by itself.
		args = append(args, "--ui_event_filters=-info", "--curses=yes", "--color="+color)
	} else {
		args = append(args, "--ui_event_filters=-info,-pass,-fail,-timeout", "--curses=no",
			"--show_progress_rate_limit=5")
	}
	args = append(args, s.schedule...)
	if !o.all {
		args = append(args, "--build_tests_only")
		if len(o.paths) == 0 {
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
