package secret_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/secret"
)

func TestArgs(t *testing.T) {
	t.Parallel()
	got := secret.Args([]string{
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
		t.Errorf("Args (-want +got):\n%s", diff)
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"WARNING: Remote Cache: http://ci:s3cret@127.0.0.1:80/cas: 401": "WARNING: Remote Cache: http://***@127.0.0.1:80/cas: 401",
		"see https://bazel.build/x@y and mail a@b":                      "see https://bazel.build/x@y and mail a@b",
		"psql postgres://pgcell@/test_db?host=/tmp/x":                   "psql postgres://pgcell@/test_db?host=/tmp/x",
		"postgres://app:s3cret@db.example/app":                          "postgres://app:***@db.example/app",
		"postgres:///x?user=app&password=hunter2&host=/tmp":             "postgres:///x?user=app&password=***&host=/tmp",
		`host=db password='a \' x' dbname=x`:                            "host=db password=*** dbname=x",
	} {
		if got := secret.Text(text); got != want {
			t.Errorf("Text(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestWithoutPassword(t *testing.T) {
	t.Parallel()
	for server, want := range map[string]string{
		"postgres://app:secret@db:5432/x?sslmode=require":  "postgres://app@db:5432/x?sslmode=require",
		"postgres:///x?user=app&password=secret&host=/tmp": "postgres:///x?host=%2Ftmp&user=app",
		`host=db password='a secret \' x' dbname=x`:        "host=db dbname=x",
		"postgres://db": "postgres://db",
	} {
		if got := secret.WithoutPassword(server); got != want {
			t.Errorf("WithoutPassword(%s) = %s, want %s", server, got, want)
		}
	}
}
