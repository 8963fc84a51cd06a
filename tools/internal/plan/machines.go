package plan

import (
	"slices"
	"time"

	"github.com/pgcell/pgcell/tools/internal/shard"
)

// Unit is what goes to one machine as a whole: a target, or all targets of a category.
type Unit struct {
	Name    string // of a category; the label of a target
	Targets []string
	Time    time.Duration
	Known   bool // Time is recorded
}

// Machine is what one machine of several has to do.
type Machine struct {
	Units []Unit
	Time  time.Duration // of the recorded times; what has none counts as the mean of the others
}

// Divide divides units among machines, 1 or more: longest first. Machines without a unit are left out.
func Divide(units []Unit, machines int) []Machine {
	byName := map[string]Unit{}
	times := map[string]time.Duration{}
	var names []string
	for _, u := range units {
		byName[u.Name] = u
		names = append(names, u.Name)
		if u.Known {
			times[u.Name] = u.Time
		}
	}
	slices.Sort(names)
	weights, _ := shard.Weigh(names, times)
	var all []Machine
	for _, share := range shard.Deal(names, times, machines) {
		var m Machine
		for _, name := range share {
			m.Units = append(m.Units, byName[name])
			m.Time += weights[slices.Index(names, name)]
		}
		if len(share) > 0 {
			all = append(all, m)
		}
	}
	return all
}
