package shard_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/pgcell/pgcell/tools/internal/shard"
)

func TestWorker(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ total, taken, index, want string }{
		{"", "", "", "master"},
		{"4", "", "0", "w0"},
		{"4", "", "3", "w3"},
		{"12", "", "11", "w11"},
		{"1", "", "0", "w0"},
		{"", "", "2", "master"},
		{"4", "", "", "master"},
		{"0", "", "0", "master"},
		{"4", "", "x", "master"},
		{"4", "", "-1", "master"},
		{"", "8", "7", "w7"}, // the plan has taken TEST_TOTAL_SHARDS over
		{"", "x", "7", "master"},
		{"2", "8", "1", "w1"},
	} {
		env := map[string]string{"TEST_TOTAL_SHARDS": c.total, "PGCELL_TOTAL_SHARDS": c.taken, "TEST_SHARD_INDEX": c.index}
		if got := shard.Worker(func(name string) string { return env[name] }); got != c.want {
			t.Errorf("Worker(%v) = %q, want %q", env, got, c.want)
		}
	}
}

func ExampleWorker() {
	env := map[string]string{"TEST_TOTAL_SHARDS": "4", "TEST_SHARD_INDEX": "2"}
	fmt.Println(shard.Worker(func(name string) string { return env[name] }))
	// Output: w2
}

func mustExecutable(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}
