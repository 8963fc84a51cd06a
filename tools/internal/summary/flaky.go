package summary

import (
	"fmt"

	"github.com/pgcell/pgcell/tools/internal/label"
	"github.com/pgcell/pgcell/tools/internal/results"
)

// Flake is a test that passed and failed.
type Flake struct {
	Title        string
	Failed, Runs int
}

func (f Flake) String() string {
	return fmt.Sprintf("%s failed %d of %d times", f.Title, f.Failed, f.Runs)
}

// flakes finds tests that both passed and failed: in several runs of one shard, or in its attempts.
func flakes(shards []*results.Shard) []Flake {
	type runs struct{ passed, failed int }
	tests := make(map[string]*runs)
	var order []string
	for _, s := range shards {
		for _, t := range s.Tests {
			name := label.Versioned(s.Argument(&t), label.Version(s.Label))
			if tests[name] == nil {
				tests[name] = &runs{}
				order = append(order, name)
			}
			tests[name].failed += s.FailedBefore(t.Name)
			switch t.Outcome {
			case results.Passed:
				tests[name].passed++
			case results.Failed:
				tests[name].failed++
			}
		}
	}
	var found []Flake
	for _, name := range order {
		if r := tests[name]; r.failed > 0 && r.passed > 0 {
			found = append(found, Flake{name, r.failed, r.failed + r.passed})
		}
	}
	return found
}
