package summary

import "slices"

// Reason says why suites were run and not taken from the cache.
type Reason struct {
	Why    string
	Labels []string
}

// Why suites ran, in the order in which they are listed.
const (
	failedLast = "failed last time"
	changed    = "changed"
	byName     = "chosen by name"
	newHere    = "new here"
)

// reasons says why what was executed was not taken from the cache, as far as the history tells.
func reasons(calls []Call, past Past, forced string) []Reason {
	failed := make(map[string]bool)
	for _, id := range past.Failed {
		failed[id.Label] = true
	}
	known := make(map[string]bool)
	for _, shard := range past.Known.All() {
		known[shard.Label] = true
	}
	why := make(map[string][]string)
	for _, c := range calls {
		for _, shard := range c.Shards {
			if shard.Cached {
				continue
			}
			word := changed
			switch {
			case forced != "":
				word = forced
			case failed[shard.Label]:
				word = failedLast
			case !known[shard.Label]:
				word = newHere
			case c.Filter != "":
				word = byName
			}
			if !slices.Contains(why[word], shard.Label) {
				why[word] = append(why[word], shard.Label)
			}
		}
	}
	var reasons []Reason
	for _, word := range []string{forced, failedLast, changed, byName, newHere} {
		if labels := why[word]; len(labels) > 0 {
			slices.Sort(labels)
			reasons = append(reasons, Reason{word, labels})
		}
	}
	return reasons
}
