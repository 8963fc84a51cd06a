package merge

import (
	"fmt"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/gotest"
)

// Whole gives the results of a test whose subtests ran in several processes, from their reports, as one process would
// print them. A result is missing where a process has died before it.
func Whole(test string, framed, verbose bool, reports []Report) string {
	var b strings.Builder
	for time := 0; ; time++ {
		var sum Part
		died := false
		for _, r := range reports {
			if time < len(r.Parts[test]) {
				sum.add(r.Parts[test][time])
			} else { // with -test.count, a test of which nothing is selected runs once
				died = died || r.Verdict == ""
			}
		}
		if sum.Verb == "" {
			return b.String()
		}
		if sum.Verb != gotest.Fail && (!verbose || died) {
			continue
		}
		if framed {
			b.WriteByte(Marker)
		}
		fmt.Fprintf(&b, "--- %s: %s (%.2fs)\n%s", sum.Verb, test, sum.Took.Seconds(), sum.Below)
	}
}

// add takes in what another process says: of its results, a failure counts most, and a skip least.
func (p *Part) add(other Part) {
	if p.Verb == "" || other.Verb == gotest.Fail || p.Verb == gotest.Skip && other.Verb == gotest.Pass {
		p.Verb = other.Verb
	}
	p.Took += other.Took
	p.Below = append(p.Below, other.Below...)
}
