package shard

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// TimesFile is the name of the file of recorded times in the directory of a package.
const TimesFile = "pgcell_times.txt"

// Times are the recorded times of a package's tests, by target ("ddl_test") and test ("TestCreateView").
type Times map[string]map[string]time.Duration

const timesHeader = `# Seconds that tests take, to balance shards by; written by "pgcell timings update".
# target test seconds
`

// ParseTimes reads a file of recorded times: on each line a target, a test and its seconds, with spaces between; empty
// lines, and what begins with "#", are for people. The error names the line.
func ParseTimes(text []byte) (Times, error) {
	times := Times{}
	number := 0
	for line := range bytes.Lines(text) {
		number++
		line := strings.TrimSpace(string(line))
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := times.parse(line); err != nil {
			return nil, fmt.Errorf("line %d, %q: %w", number, line, err)
		}
	}
	return times, nil
}

func (t Times) parse(line string) error {
	words := strings.Fields(line)
	if len(words) != 3 {
		return errors.New(`want "target test seconds"; remove the line, or write the file anew with "pgcell timings update"`)
	}
	seconds, err := strconv.ParseFloat(words[2], 64)
	if err != nil || !(seconds >= 0 && seconds <= 1e6) { // not NaN either
		return fmt.Errorf("got %s seconds, want a number from 0 to 1000000", words[2])
	}
	t.Set(words[0], words[1], time.Duration(seconds*float64(time.Second)))
	return nil
}

// Set records the time of one test, as it is.
func (t Times) Set(target, test string, took time.Duration) {
	if t[target] == nil {
		t[target] = map[string]time.Duration{}
	}
	t[target][test] = took
}

// Format gives the file's text: sorted, a test a line, so that it can be compared and merged by line. Times are
// rounded.
func (t Times) Format() []byte {
	var b bytes.Buffer
	b.WriteString(timesHeader)
	for _, target := range slices.Sorted(maps.Keys(t)) {
		for _, test := range slices.Sorted(maps.Keys(t[target])) {
			fmt.Fprintf(&b, "%s %s %s\n", target, test, FormatSeconds(Round(t[target][test])))
		}
	}
	return b.Bytes()
}

// FormatSeconds writes a time in seconds, in as few digits as it has.
func FormatSeconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', -1, 64) }

// Bounds of what is recorded: below the first all tests are equal, and a change that is less than both of the others
// is noise.
const (
	least        = 10 * time.Millisecond
	noise        = 30 * time.Millisecond
	noisePercent = 30
)

// Round gives a time as it is recorded: to two digits, and at least 10 ms.
func Round(d time.Duration) time.Duration {
	unit := least / 10
	for unit*100 <= d {
		unit *= 10
	}
	return max(least, (d+unit/2)/unit*unit)
}

// Settle gives the time to record of a test that has one recorded and now took another: the recorded one, unless they
// differ by more than 30 % and 30 ms. So a time that wobbles by 10 % around any value never changes once it is
// recorded.
func Settle(recorded, took time.Duration) time.Duration {
	if difference := (took - recorded).Abs(); difference <= max(noise, recorded*noisePercent/100) {
		return recorded
	}
	return Round(took)
}

// Update gives the recorded times after a new run: of the targets that ran, the tests that ran, settled, and the
// others as they were where keep says so, which is for tests that a filter left out, or that did not pass. It changes
// neither argument.
func (t Times) Update(ran Times, keep func(target, test string) bool) Times {
	updated := Times{}
	for target, tests := range t {
		for test, recorded := range tests {
			if keep(target, test) {
				updated.Set(target, test, recorded)
			}
		}
	}
	for target, tests := range ran {
		for test, took := range tests {
			settled := Round(took)
			if recorded, ok := t[target][test]; ok {
				settled = Settle(recorded, took)
			}
			updated.Set(target, test, settled)
		}
	}
	return updated
}
