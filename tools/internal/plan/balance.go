package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pgcell/pgcell/tools/internal/shard"
)

// MaxShards is the most that Bazel allows for shard_count.
const MaxShards = 50

// Balance says how well a suite is divided by its recorded times.
type Balance struct {
	Label   string
	Tests   int           // with a recorded time
	Sum     time.Duration // of all tests
	Shards  int           // the suite's shard_count, 1 for none
	Slowest time.Duration // what the shard takes that has most to do
	Ideal   time.Duration // what each shard would take if tests could be cut
	Longest string        // the test that takes longest
	Takes   time.Duration // what it takes

	Worth time.Duration // what is worth a shard of its own
	// Suggest is the shard_count that would serve; it is Shards where that is as good.
	Suggest int
}

// Weigh gives the balance of a suite by its recorded times, 1 or more. Shards is what its BUILD file says. Worth is
// the time that is worth a shard of its own, above 0: a shard costs a start of the test process and its server.
func Weigh(label string, times map[string]time.Duration, shards int, worth time.Duration) Balance {
	b := Balance{Label: label, Tests: len(times), Shards: max(1, shards), Worth: worth}
	names := slices.Sorted(maps.Keys(times))
	for _, name := range names {
		b.Sum += times[name]
		if times[name] > b.Takes {
			b.Longest, b.Takes = name, times[name]
		}
	}
	for _, share := range shard.Deal(names, times, b.Shards) {
		var load time.Duration
		for _, name := range share {
			load += times[name]
		}
		b.Slowest = max(b.Slowest, load)
	}
	b.Ideal = b.Sum / time.Duration(b.Shards)
	b.Suggest = suggest(b)
	return b
}

// suggest gives the least number of shards in which none takes longer than what is worth a shard, or than the longest
// test, in the mean. The present number stays where it is within a quarter of that, for another one has to run all
// tests again.
func suggest(b Balance) int {
	each := max(b.Worth, b.Takes)
	want := int((b.Sum + each - 1) / each)
	want = max(1, min(want, b.Tests, MaxShards))
	if b.Shards <= MaxShards && b.Shards <= b.Tests && 4*abs(b.Shards-want) <= want {
		return b.Shards
	}
	return want
}

func abs(n int) int { return max(n, -n) }

// Ratio is the slowest shard by the mean of all: 1 is perfect.
func (b Balance) Ratio() float64 {
	if b.Ideal == 0 {
		return 1
	}
	return b.Slowest.Seconds() / b.Ideal.Seconds()
}

// Limit says what keeps the suite from being faster; it is empty where nothing does that could be helped.
func (b Balance) Limit() string {
	var all []string
	alone := b.Takes.Seconds() > 1.05*b.Ideal.Seconds() && b.Slowest-b.Takes < b.Ideal/10
	if b.Tests > 1 && b.Shards > 1 && alone && b.Takes > b.Worth {
		all = append(all, fmt.Sprintf("%s alone takes %s s: split it", b.Longest, shard.FormatSeconds(b.Takes)))
	}
	if b.Suggest != b.Shards {
		all = append(all, fmt.Sprintf("shard_count = %d would serve", b.Suggest))
	}
	if b.Suggest == MaxShards && b.Sum/MaxShards > b.Takes && b.Sum/MaxShards > 30*time.Second {
		all = append(all, fmt.Sprintf("Bazel allows at most %d shards: divide the suite", MaxShards))
	}
	return strings.Join(all, "; ")
}
