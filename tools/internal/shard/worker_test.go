package shard_test

import (
	"testing"

	"github.com/pgcell/pgcell/tools/internal/shard"
)

func TestWorker(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ total, index, want string }{
		{"", "", "master"},
		{"4", "0", "w0"},
		{"4", "3", "w3"},
		{"12", "11", "w11"},
		{"1", "0", "w0"},
		{"", "2", "master"},
		{"4", "", "master"},
		{"0", "0", "master"},
		{"4", "x", "master"},
		{"4", "-1", "master"},
	} {
		env := map[string]string{"TEST_TOTAL_SHARDS": c.total, "TEST_SHARD_INDEX": c.index}
		if got := shard.Worker(func(name string) string { return env[name] }); got != c.want {
			t.Errorf("Worker(total %q, index %q) = %q, want %q", c.total, c.index, got, c.want)
		}
	}
}
