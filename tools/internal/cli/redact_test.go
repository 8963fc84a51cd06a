package cli_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/cli"
)

func TestRedact(t *testing.T) {
	t.Parallel()
	got := cli.Redact([]string{
		"tests/integration", "-n", "4", "--report=out.html", "--",
		"--remote_cache=grpcs://ci:s3cret@cache.example:443/x", "--remote_header=x-api-key=s3cret", "--bes_header", "Authorization=Bearer s3cret",
		"--remote_exec_header=s3cret", "--test_env=DB_PASSWORD=s3cret", "--test_env=HOME", "--action_env", "GITHUB_TOKEN=s3cret",
		"--test_env=LANG=C", "--define=url=https://token@host/", "--config=ci",
	})
	want := []string{
		"tests/integration", "-n", "4", "--report=out.html", "--",
		"--remote_cache=grpcs://***@cache.example:443/x", "--remote_header=x-api-key=***", "--bes_header", "Authorization=***",
		"--remote_exec_header=***", "--test_env=DB_PASSWORD=***", "--test_env=HOME", "--action_env", "GITHUB_TOKEN=***",
		"--test_env=LANG=C", "--define=url=https://***@host/", "--config=ci",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Redact (-want +got):\n%s", diff)
	}
}

func TestRedactText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"WARNING: Remote Cache: http://ci:s3cret@127.0.0.1:80/cas: 401": "WARNING: Remote Cache: http://***@127.0.0.1:80/cas: 401",
		"see https://bazel.build/x@y and mail a@b":                      "see https://bazel.build/x@y and mail a@b",
		"psql postgres://pgcell@/test_db?host=/tmp/x":                   "psql postgres://pgcell@/test_db?host=/tmp/x",
		"postgres://app:s3cret@db.example/app":                          "postgres://app:***@db.example/app",
	} {
		if got := cli.RedactText(text); got != want {
			t.Errorf("RedactText(%q) = %q, want %q", text, got, want)
		}
	}
}
