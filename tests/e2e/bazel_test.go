package e2e_test

import (
	"testing"

	"github.com/pgcell/pgcell/tests/internal/nested"
)

// bazel runs Bazel in the workspace dir. All workspaces share one output base, so that what one of them fetched serves
// the others: hence no test here is parallel.
func bazel(t *testing.T, dir, command string, args ...string) nested.Result {
	t.Helper()
	return bazelIn(t, nil, dir, command, args...)
}

// bazelIn is bazel with more variables in the environment, as NAME=VALUE.
func bazelIn(t *testing.T, env []string, dir, command string, args ...string) nested.Result {
	t.Helper()
	return nested.Bazel{Env: env}.Run(t, dir, command, args...)
}
