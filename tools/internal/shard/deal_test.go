package shard_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/shard"
)

func TestDeal(t *testing.T) {
	t.Parallel()
	const s = time.Second
	for name, c := range map[string]struct {
		tests  string
		times  map[string]time.Duration
		shards int
		want   []string
	}{
		"round robin without times": {"TestC TestA ExampleB FuzzD TestE", nil, 2,
			[]string{"TestC ExampleB TestE", "TestA FuzzD"}},
		"times of others are none": {"B A", map[string]time.Duration{"X": s}, 2, []string{"B", "A"}},
		"longest first": {"A B C D", map[string]time.Duration{"A": s, "B": s, "C": s, "D": 3 * s}, 2,
			[]string{"D", "A B C"}},
		"unknown ones are the mean": {"A B C D", map[string]time.Duration{"A": 5 * s, "B": s}, 2, // C and D: 3 s
			[]string{"A B", "C D"}},
		"equal ones by name": {"D C B A", map[string]time.Duration{"A": s, "B": s, "C": s, "D": s}, 3,
			[]string{"D A", "B", "C"}},
		"more shards than tests": {"A", map[string]time.Duration{"A": s}, 3, []string{"A", "", ""}},
		"no tests":               {"", nil, 2, []string{"", ""}},
		"one shard":              {"B A", map[string]time.Duration{"A": s}, 1, []string{"B A"}},
		"a name twice":           {"A B A", nil, 2, []string{"A", "B"}},
		"negative times are zero": {"A B C", map[string]time.Duration{"A": -9 * s, "B": s, "C": s}, 2,
			[]string{"A B", "C"}},
	} {
		var got []string
		for _, share := range shard.Deal(strings.Fields(c.tests), c.times, c.shards) {
			got = append(got, strings.Join(share, " "))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: Deal(%q, %v, %d) (-want +got):\n%s", name, c.tests, c.times, c.shards, diff)
		}
	}
}

// heavyTailed makes a suite like recorded ones: many short tests and few long ones, evenly spread over orders of
// magnitude (log-uniform), in no order. The sum is exact to the rounding of recorded times.
func heavyTailed(seed uint64, tests int, sum, longest time.Duration) ([]string, map[string]time.Duration) {
	random := rand.New(rand.NewPCG(seed, 211))
	seconds := make([]float64, tests)
	// The least that gives the sum: the mean of log-uniform numbers grows with it.
	low, high := 1e-6, longest.Seconds()
	for range 60 {
		least, total := (low+high)/2, 0.0
		for i := range seconds {
			seconds[i] = least * math.Pow(longest.Seconds()/least, float64(i)/float64(tests-1))
			total += seconds[i]
		}
		if total > sum.Seconds() {
			high = least
		} else {
			low = least
		}
	}
	random.Shuffle(tests, func(i, j int) { seconds[i], seconds[j] = seconds[j], seconds[i] })
	names, times := make([]string, tests), map[string]time.Duration{}
	for i, s := range seconds {
		names[i] = fmt.Sprintf("Test%03d", i)
		times[names[i]] = shard.Round(time.Duration(s * float64(time.Second)))
	}
	return names, times
}

func slowest(shares [][]string, times map[string]time.Duration) time.Duration {
	var most time.Duration
	for _, share := range shares {
		var load time.Duration
		for _, name := range share {
			load += times[name]
		}
		most = max(most, load)
	}
	return most
}

// The slowest shard of a heavy-tailed suite takes at most 1.05 times what is possible at all: the ideal, or the
// longest test.
func TestBalanceOfHeavyTailedSuite(t *testing.T) {
	t.Parallel()
	t.Log("shards  ideal s  longest s  plan s  plan/possible  round robin s  round robin/possible")
	for seed := range uint64(20) {
		names, times := heavyTailed(seed, 211, 609*time.Second, 10*time.Second)
		sum, longest := slowest([][]string{names}, times), time.Duration(0)
		for _, d := range times {
			longest = max(longest, d)
		}
		if d := (sum - 609*time.Second).Abs(); d > 3*time.Second || longest < 9*time.Second || longest > 11*time.Second {
			t.Fatalf("the generated suite: sum %v, longest %v, want about 609 s and 10 s", sum, longest)
		}
		for _, shards := range []int{4, 8, 16, 50} {
			ideal := sum / time.Duration(shards)
			possible := max(ideal, longest)
			plan := slowest(shard.Deal(names, times, shards), times)
			robin := slowest(shard.Deal(names, nil, shards), times)
			if seed == 0 {
				t.Logf("%6d %8.1f %10.1f %7.1f %14.3f %14.1f %21.3f", shards, ideal.Seconds(), longest.Seconds(),
					plan.Seconds(), plan.Seconds()/possible.Seconds(), robin.Seconds(), robin.Seconds()/possible.Seconds())
			}
			if shards <= 16 && plan.Seconds() > 1.05*possible.Seconds() {
				t.Errorf("seed %d, %d shards: the slowest takes %v, want at most 1.05 * %v", seed, shards, plan, possible)
			}
			if shards <= 16 && plan >= robin {
				t.Errorf("seed %d, %d shards: the slowest takes %v, by round robin %v", seed, shards, plan, robin)
			}
		}
	}
}

// Every test that a filter selects is in exactly one shard, whatever the names, times, shards and filter; the others
// are in none.
func TestEachTestIsInOneShard(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		random := rand.New(rand.NewPCG(seed, 1))
		names, times := randomSuite(random)
		shards := 1 + random.IntN(50)
		run, skip := randomPattern(random), randomPattern(random)
		filter, err := shard.ParseFilter(run, skip)
		if err != nil {
			t.Fatal(err)
		}
		selected := filter.Select(names)
		matchesAll := matcher(run, skip)
		runs := map[string]int{} // test/subtest, and in how many shards
		for _, share := range shard.Deal(selected, times, shards) {
			matches := matcher(filter.Narrow(share))
			for _, full := range withSubtests(names) {
				if matches(full) {
					runs[full]++
				}
			}
		}
		for _, full := range withSubtests(names) {
			want := 0
			if matchesAll(full) {
				want = 1
			}
			if runs[full] != want {
				t.Fatalf("seed %d: %s runs in %d of %d shards, want %d; -run %q -skip %q\ntests %v\ntimes %v",
					seed, full, runs[full], shards, want, run, skip, names, times)
			}
		}
	}
}

func TestDealIsDeterministic(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 7))
	for range 200 {
		names, times := randomSuite(random)
		first := shard.Deal(slices.Clone(names), times, 7)
		if diff := cmp.Diff(first, shard.Deal(names, times, 7)); diff != "" {
			t.Fatalf("two plans of the same tests (-first +second):\n%s", diff)
		}
		if len(times) == 0 {
			continue
		}
		// By times, the order of the tests says nothing.
		shuffled := slices.Clone(names)
		random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		second := shard.Deal(shuffled, times, 7)
		for i := range first {
			slices.Sort(first[i])
			slices.Sort(second[i])
		}
		if _, known := shard.Weigh(names, times); known > 0 && !cmp.Equal(first, second) {
			t.Fatalf("plans of the same tests in another order (-first +second):\n%s", cmp.Diff(first, second))
		}
	}
}

// randomSuite makes up to 60 names, of which some are the beginning of others, and times for some of them and for
// others.
func randomSuite(random *rand.Rand) ([]string, map[string]time.Duration) {
	var names []string
	for range random.IntN(60) {
		kind := []string{"Test", "Example", "Fuzz"}[random.IntN(3)]
		names = append(names, kind+[]string{"", "_", "A", "AB", "Äb", "日"}[random.IntN(6)]+
			strings.Repeat("a", random.IntN(3))+fmt.Sprint(random.IntN(20)))
	}
	slices.Sort(names)
	names = slices.Compact(names)
	random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	times := map[string]time.Duration{"TestGone": time.Hour}
	share := random.Float64()
	for _, name := range names {
		if random.Float64() < share {
			times[name] = time.Duration(random.ExpFloat64()*float64(time.Second)) * time.Duration(random.IntN(2))
		}
	}
	return names, times
}

// randomPattern makes a value of -test.run or -test.skip, often an empty one.
func randomPattern(random *rand.Rand) string {
	if random.IntN(3) == 0 {
		return ""
	}
	elements := []string{"", "Test", "^Test", "a$", "^TestA$", "^(TestA1|FuzzA2)$", "A|Äb", "[/|]", `\d`, "Example", "x",
		"^y$", "sub/x", "(a|/)"}
	var all []string
	for range 1 + random.IntN(3) {
		var path []string
		for range 1 + random.IntN(2)*random.IntN(3) {
			path = append(path, elements[random.IntN(len(elements))])
		}
		all = append(all, strings.Join(path, "/"))
	}
	return strings.Join(all, "|")
}

func withSubtests(names []string) []string {
	var all []string
	for _, name := range names {
		all = append(all, name, name+"/x", name+"/y", name+"/sub", name+"/sub/x")
	}
	return all
}
