package shard_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/pgcell/pgcell/tools/internal/shard"
)

const recorded = `# Seconds that tests take, to balance shards by; written by "pgcell timings update".
# target test seconds
a_test ExampleX 0.01
a_test TestA 12
a_test TestB 0.13
b_test TestA 1.5
`

func TestTimesFile(t *testing.T) {
	t.Parallel()
	times, err := shard.ParseTimes([]byte("\n  # by hand\nb_test TestA 1.5\r\na_test\tTestB 0.13\n" + recorded))
	if err != nil {
		t.Fatal(err)
	}
	want := shard.Times{
		"a_test": {"ExampleX": 10 * time.Millisecond, "TestA": 12 * time.Second, "TestB": 130 * time.Millisecond},
		"b_test": {"TestA": 1500 * time.Millisecond},
	}
	if diff := cmp.Diff(want, times); diff != "" {
		t.Errorf("ParseTimes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(recorded, string(times.Format())); diff != "" {
		t.Errorf("Format (-want +got):\n%s", diff)
	}
}

func TestBrokenTimesFile(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a_test TestA 1\n<<<<<<< HEAD\n": `line 2, "<<<<<<< HEAD": want "target test seconds"; ` +
			`remove the line, or write the file anew with "pgcell timings update"`,
		"a_test TestA soon": `line 1, "a_test TestA soon": got soon seconds, want a number from 0 to 1000000`,
		"a_test TestA -1":   `line 1, "a_test TestA -1": got -1 seconds, want a number from 0 to 1000000`,
		"a_test TestA NaN":  `line 1, "a_test TestA NaN": got NaN seconds, want a number from 0 to 1000000`,
	} {
		if _, err := shard.ParseTimes([]byte(text)); err == nil || err.Error() != want {
			t.Errorf("ParseTimes(%q) = %v, want %s", text, err, want)
		}
	}
}

func TestRound(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"0s": "10ms", "4ms": "10ms", "10.4ms": "10ms", "99ms": "99ms", "100ms": "100ms", "104ms": "100ms",
		"105ms": "110ms", "996ms": "1s", "1.04s": "1s", "1.05s": "1.1s", "9.96s": "10s",
		"59.4s": "59s", "125s": "130s", "1004s": "1000s",
	} {
		if got := shard.Round(must(t, in)); got != must(t, want) {
			t.Errorf("Round(%s) = %v, want %s", in, got, want)
		}
	}
}

func must(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Times that wobble by 10 % change nothing, whatever they are, and real changes do.
func TestSettle(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 3))
	wobble := func(d time.Duration) time.Duration { return time.Duration(float64(d) * (0.9 + 0.2*random.Float64())) }
	for range 1000 {
		d := time.Duration(random.ExpFloat64() * float64(2*time.Second))
		first := shard.Round(wobble(d))
		for range 20 {
			if took := wobble(d); shard.Settle(first, took) != first {
				t.Fatalf("Settle(%v, %v) = %v, want the first, for the times wobble by 10 %% around %v",
					first, took, shard.Settle(first, took), d)
			}
		}
		changed := 2*d + 100*time.Millisecond
		if got := shard.Settle(first, changed); got != shard.Round(changed) {
			t.Fatalf("Settle(%v, %v) = %v, want %v", first, changed, got, shard.Round(changed))
		}
	}
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	before, err := shard.ParseTimes([]byte(recorded))
	if err != nil {
		t.Fatal(err)
	}
	kept := before.Format()
	ran := shard.Times{"a_test": {
		"TestA": 11 * time.Second, "TestB": time.Second, "TestNew": 1234 * time.Millisecond,
	}}
	after := before.Update(ran, func(target, test string) bool { return target == "b_test" })
	changes := strings.NewReplacer("a_test ExampleX 0.01\n", "", "TestB 0.13", "TestB 1\na_test TestNew 1.2")
	want := changes.Replace(recorded)
	if diff := cmp.Diff(want, string(after.Format())); diff != "" {
		t.Errorf("updated (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(string(kept), string(before.Format())); diff != "" {
		t.Errorf("Update changed its argument (-want +got):\n%s", diff)
	}
}
