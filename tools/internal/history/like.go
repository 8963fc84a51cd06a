package history

// Alike gives those of some runs that ran the same tests as one: the same shards of the same suites as often, chosen by
// the same names. Only their times can be compared.
func Alike(one *Run, runs []*Run) []*Run {
	type part struct {
		label, filter      string
		shard, shards, run int
	}
	partsOf := func(r *Run) map[part]bool {
		parts := make(map[part]bool)
		for _, s := range r.Shards {
			parts[part{s.Label, s.Filter, s.Shard, s.Shards, s.Run}] = true
		}
		return parts
	}
	want := partsOf(one)
	var alike []*Run
	for _, r := range runs {
		parts := partsOf(r)
		same := len(parts) == len(want)
		for p := range parts {
			same = same && want[p]
		}
		if same {
			alike = append(alike, r)
		}
	}
	return alike
}

// FromCache counts the shards of a run that came from a cache.
func (r *Run) FromCache() int {
	n := 0
	for _, s := range r.Shards {
		if s.Cached {
			n++
		}
	}
	return n
}
