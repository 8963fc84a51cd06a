package page

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/pgcell/pgcell/tools/internal/history"
	"github.com/pgcell/pgcell/tools/internal/results"
)

// timeline shows what ran when: a lane for each shard that ran at the same time as others, cached ones apart.
type timeline struct {
	Took   time.Duration
	Lanes  []lane
	Cached []bar // what did not run, by its time; not on the axis of time
	Ticks  []tick
}

type lane struct {
	Name string
	Busy int // per cent
	Bars []bar
}

// bar is a shard, or a part of one. Left and Width are per cent of the timeline.
type bar struct {
	Left, Width float64
	Class       string // passed, some (failed), failed, cached, stopped; test, cell, wait for parts
	Title       string
	Parts       []bar
}

type tick struct {
	Left float64
	Text string
}

// newTimeline puts executed shards into the lanes of their workers.
func newTimeline(shards []*results.Shard) timeline {
	lanes := results.Lanes(shards)
	cached := cachedBars(shards)
	if len(lanes) == 0 {
		return timeline{Cached: cached}
	}
	start, end := lanes[0][0].Start, lanes[0][0].End() // the first shard goes to the first worker
	for _, ran := range lanes {
		if last := ran[len(ran)-1].End(); last.After(end) {
			end = last
		}
	}
	t := timeline{Took: max(end.Sub(start), time.Millisecond), Cached: cached}
	for i, ran := range lanes {
		l := lane{Name: fmt.Sprint(i + 1)}
		var busy time.Duration
		for _, s := range ran {
			busy += s.Duration
			l.Bars = append(l.Bars, t.bar(s, start))
		}
		l.Busy = int(100*float64(busy)/float64(t.Took) + 0.5)
		t.Lanes = append(t.Lanes, l)
	}
	for i := range 5 {
		t.Ticks = append(t.Ticks, tick{25 * float64(i), seconds(t.Took * time.Duration(i) / 4)})
	}
	return t
}

// cachedBars puts cached shards one after the other.
func cachedBars(shards []*results.Shard) []bar {
	var all, at time.Duration
	for _, s := range shards {
		if s.Cached {
			all += s.Duration
		}
	}
	var bars []bar
	for _, s := range shards {
		if s.Cached && all > 0 {
			bars = append(bars, bar{
				Left: 100 * float64(at) / float64(all), Width: 100 * float64(s.Duration) / float64(all), Class: "cached",
				Title: fmt.Sprintf("%s: cached, %s not spent again, %d tests", s, seconds(s.Duration), len(s.Tests)),
			})
			at += s.Duration
		}
	}
	return bars
}

func (t *timeline) bar(s *results.Shard, start time.Time) bar {
	b := bar{
		Left: t.percent(s.Start.Sub(start)), Width: max(t.percent(s.Duration), 0.15),
		Title: fmt.Sprintf("%s [%s]: %s, %d tests", s, s.Worker(), seconds(s.Duration), len(s.Tests)),
	}
	b.Class = classOf(s)
	for _, c := range s.Cells {
		if c.Start.IsZero() || s.Duration <= 0 {
			continue
		}
		at := 100 * float64(c.Start.Sub(s.Start)) / float64(s.Duration)
		whole := 100 * c.End.Sub(c.Start).Seconds() / s.Duration.Seconds()
		cell, wait := 100*c.CellSeconds/s.Duration.Seconds(), 100*c.WaitSeconds/s.Duration.Seconds()
		title := fmt.Sprintf("%s: %.3f s, of it %.3f s for its database, %.3f s of waiting", c.Test,
			c.End.Sub(c.Start).Seconds(), c.CellSeconds, c.WaitSeconds)
		class := "test"
		if c.Failed {
			class = "test red"
		}
		b.Parts = append(b.Parts,
			bar{Left: at, Width: whole, Class: class, Title: title},
			bar{Left: at, Width: wait, Class: "wait", Title: title},
			bar{Left: at + wait, Width: cell, Class: "cell", Title: title})
	}
	return b
}

// classOf gives a shard's colour. One of which some tests failed is not red as a whole.
func classOf(s *results.Shard) string {
	switch {
	case s.Interrupted():
		return "stopped"
	case s.OK():
		return "passed"
	case s.Died == "" && len(s.Failed()) < len(s.Tests):
		return "some"
	}
	return "failed"
}

func (t *timeline) percent(d time.Duration) float64 { return 100 * float64(d) / float64(t.Took) }

// balance says how evenly a suite's time lies on its shards.
type balance struct {
	Label        string
	Took         time.Duration // of all shards
	Slowest      time.Duration
	Ideal        time.Duration // each shard the same
	Ratio        float64       // slowest to ideal
	Bars         []bar
	IdealPercent float64 // of the slowest
	Longest      string  // the longest test, where it alone takes more than the ideal
}

func balances(shards []*results.Shard) []balance {
	suites := make(map[string][]*results.Shard)
	var labels []string
	for _, s := range shards {
		if s.Run > 1 || s.Interrupted() {
			continue
		}
		if suites[s.Label] == nil {
			labels = append(labels, s.Label)
		}
		suites[s.Label] = append(suites[s.Label], s)
	}
	var all []balance
	for _, label := range labels {
		if len(suites[label]) > 1 {
			all = append(all, newBalance(label, suites[label]))
		}
	}
	slices.SortStableFunc(all, func(a, b balance) int { return cmp.Compare(b.Slowest, a.Slowest) })
	return all
}

func newBalance(label string, shards []*results.Shard) balance {
	slices.SortFunc(shards, func(a, b *results.Shard) int { return cmp.Compare(a.Index, b.Index) })
	b := balance{Label: label}
	var longest time.Duration
	name := ""
	for _, s := range shards {
		b.Took += s.Duration
		b.Slowest = max(b.Slowest, s.Duration)
		for _, t := range s.Tests {
			if t.Duration > longest {
				longest, name = t.Duration, t.Name
			}
		}
	}
	b.Ideal = b.Took / time.Duration(len(shards))
	slowest := max(b.Slowest, time.Millisecond)
	b.Ratio = float64(slowest) / float64(max(b.Ideal, time.Millisecond))
	b.IdealPercent = 100 * float64(b.Ideal) / float64(slowest)
	if longest > b.Ideal {
		b.Longest = fmt.Sprintf("%s alone takes %s", name, seconds(longest))
	}
	for _, s := range shards {
		class := classOf(s)
		if s.Cached {
			class = "cached"
		}
		b.Bars = append(b.Bars, bar{
			Width: 100 * float64(s.Duration) / float64(slowest), Class: class,
			Title: fmt.Sprintf("%s: %s, %d tests", s.Worker(), seconds(s.Duration), len(s.Tests)),
		})
	}
	return b
}

// past is a run of the history. Height is per cent of the longest.
type past struct {
	When, Took, Text, Class string
	Height                  float64
	Now                     bool
}

// cacheText says how much of a run came from the cache; "" for nothing.
func cacheText(cached, all int) string {
	if cached == 0 {
		return ""
	}
	return fmt.Sprintf(", %d of %d shards cached", cached, all)
}

// newPast gives the last runs, oldest first, this one at the end.
func newPast(run *Run) []past {
	const most = 30
	runs := slices.Clone(run.Past[:min(len(run.Past), most-1)])
	slices.Reverse(runs)
	now := &history.Run{
		Start: run.Start, End: run.Start.Add(run.Took), Args: run.Args,
		Passed: run.Counts.Passed, Failed: run.Counts.Failed, Skipped: run.Counts.Skipped,
	}
	if !run.OK {
		now.ExitCode = 1
	}
	runs = append(runs, now)
	longest := time.Millisecond
	for _, r := range runs {
		longest = max(longest, r.End.Sub(r.Start))
	}
	var all []past
	for i, r := range runs {
		took := r.End.Sub(r.Start)
		cached := cacheText(r.FromCache(), len(r.Shards))
		p := past{
			When: r.Start.Local().Format("01-02 15:04"), Took: seconds(took), Height: max(100*float64(took)/float64(longest), 2),
			Class: "passed", Now: i == len(runs)-1,
		}
		if p.Now {
			cached = cacheText(run.FromCache, len(run.Shards))
		}
		p.Text = fmt.Sprintf("%d passed, %d failed, %d skipped%s; %s", r.Passed, r.Failed, r.Skipped, cached,
			command(run.Program, r.Args))
		if r.ExitCode != 0 {
			p.Class = "failed"
		}
		all = append(all, p)
	}
	return all
}
