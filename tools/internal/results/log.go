package results

import (
	"bufio"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"time"
)

var resultLine = regexp.MustCompile(`^ *\x16?--- (PASS|FAIL|SKIP): (\S+) \(([0-9.]+)s\)`)

// ReadLog reads the tests of what "go test -v" printed: names, outcomes and durations, without output.
// It is the second best where test.xml is missing: a test that was running when its process ended
// left no line. The error is one of reading.
func ReadLog(r io.Reader) ([]Test, error) {
	var cases []Test
	b := bufio.NewReader(r)
	for {
		line, err := b.ReadString('\n')
		if m := resultLine.FindStringSubmatch(line); m != nil {
			seconds, _ := strconv.ParseFloat(m[3], 64)
			t := Test{Name: m[2], Duration: time.Duration(seconds * float64(time.Second))}
			switch m[1] {
			case "FAIL":
				t.Outcome = Failed
			case "SKIP":
				t.Outcome = Skipped
			}
			cases = append(cases, t)
		}
		if err == io.EOF {
			return nest(cases), nil
		}
		if err != nil {
			return nil, fmt.Errorf("read the tests of a log: %w", err)
		}
	}
}
