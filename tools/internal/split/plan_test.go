package split

// Not an external package: plans and times need no processes.

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/pgcell/pgcell/tools/internal/child"
)

// A group gets no more files than their names have room, and the files of recorded times are dealt by those.
func TestPlan(t *testing.T) {
	t.Parallel()
	c := Config{Command: []string{"run", "{}"}, Shards: 2, Times: t.TempDir()}
	known := record{Command: c.record().Name, Files: map[string]float64{"a": 9, "b": 4, "c": 4, "d": 1}, WallSeconds: 18, StartSeconds: 1}
	if err := c.record().Write(known); err != nil {
		t.Fatal(err)
	}
	for _, p := range []struct {
		shards, workers int
		files, want     string
	}{
		{2, 2, "a b c d", "[[a] [b c d]]"},
		{2, 2, "a b c new", "[[a c] [b new]]"}, // new counts as the mean, 5.7 s
		{9, 2, "a b", "[[a] [b]]"},
		{0, 2, "a b c d", "[[a] [b c d]]"}, // no more than end before the longest
		{0, 1, "b d", "[[b d]]"},           // 5 s do not pay for two starts of 1 s
	} {
		c.Shards, c.Files = p.shards, strings.Fields(p.files)
		if got := c.plan(); fmt.Sprint(got.groups) != p.want || got.workers != p.workers {
			t.Errorf("%d processes for %s: %v, %d at once; want %s, %d", p.shards, p.files, got.groups, got.workers, p.want, p.workers)
		}
	}
	c.Command = []string{"sh", "{}"}
	c.Shards, c.Files = 2, strings.Fields("a b c")
	if got := c.plan(); len(got.groups) != 3 || got.workers != 2 {
		t.Errorf("of a shell: %v, %d at once; want one file each, 2", got.groups, got.workers)
	}
	c.Command, c.Shards, c.Files = []string{"run", "{}"}, 1, nil
	for i := range 100 {
		c.Files = append(c.Files, strings.Repeat("x", 2048)+fmt.Sprint(i))
	}
	if got := c.plan(); len(got.groups) != 3 || got.workers != 1 {
		t.Errorf("200 KiB of names: %d groups, %d at once; want 3, 1", len(got.groups), got.workers)
	}
}

// The time of a group is divided among its files, and that of a file which ran alone is its own.
func TestMeasure(t *testing.T) {
	t.Parallel()
	k := record{Files: map[string]float64{}, Alone: map[string]bool{}, StartSeconds: 1}
	for _, step := range []struct {
		group string
		took  int
		code  int
		want  string
	}{
		{"a b", 5, 0, "a 2, b 2"},
		{"a c", 9, 0, "a 4, c 4"},        // c counts as the mean until it is known
		{"c", 3, 0, "c 2"},               // alone
		{"a b c", 6, 0, "a 2, b 1, c 2"}, // in the proportion of 4 to 2
		{"a b", 2, 1, "a 2, b 1"},        // it may have ended early
		{"c", 1, 1, "c 0.001"},
		{"c d", 3, 1, "d 1.999"},
		{"c", 5, 0, "c 4"},
		{"a c", 4, 0, "a 1, c 2"}, // c takes more than both
	} {
		group := strings.Fields(step.group)
		k.measure(group, &ran{Ended: child.Ended{Took: time.Duration(step.took) * time.Second, Code: step.code}}, 0)
		for want := range strings.SplitSeq(step.want, ", ") {
			var file string
			var s float64
			if _, err := fmt.Sscan(want, &file, &s); err != nil {
				t.Fatal(err)
			}
			if math.Abs(k.Files[file]-s) > 0.01 {
				t.Errorf("after %s in %d s: %v; want %s", step.group, step.took, k.Files, step.want)
			}
		}
	}
}
