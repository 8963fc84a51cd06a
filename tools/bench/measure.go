package main

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// parallels are the numbers of tests that run at once.
func (o options) parallels() []int {
	if o.quick {
		return []int{1, 4}
	}
	return []int{1, 2, 4, 8}
}

// sample is one measurement of one method.
type sample struct {
	rate  float64         // tests a second
	ready []time.Duration // from the request for a database to the database
}

// window is the time in which a measurement counts: warming up comes before.
type window struct{ from, to time.Time }

// share is the part of a test's time that lies in the window.
func (w window) share(start, end time.Time) float64 {
	whole := end.Sub(start)
	if start.Before(w.from) {
		start = w.from
	}
	if end.After(w.to) {
		end = w.to
	}
	return max(0, float64(end.Sub(start))/float64(whole))
}

// worker runs one test after another.
type worker struct {
	tests float64
	ready []time.Duration
	err   error
}

func (w *worker) loop(r *runner, b body, ready func(*test) querier, in window) {
	for w.err == nil && time.Now().Before(in.to) {
		var got time.Duration
		start := time.Now()
		got, w.err = r.one(b, ready)
		end := time.Now()
		w.tests += in.share(start, end)
		if end.After(in.from) {
			w.ready = append(w.ready, got)
		}
	}
}

// one runs one test from its beginning through its cleanups, and tells how long it waited for its database.
func (r *runner) one(b body, ready func(*test) querier) (waited time.Duration, err error) {
	t := newTest()
	err = t.run(func() {
		start := time.Now()
		db := ready(t)
		waited = time.Since(start)
		if err := b.run(r.ctx, db, b.template, t.number); err != nil {
			t.Fatalf("%v", err)
		}
	})
	return waited, err
}

// measure runs tests for a while, so many at once.
func (r *runner) measure(m method, b body, parallel int) (s sample, err error) {
	ready, end, err := m.begin(r, b, parallel)
	if err != nil {
		return s, fmt.Errorf("%s: %w", m.name, err)
	}
	runtime.GC()
	in := window{from: time.Now().Add(r.options.window / 5)}
	in.to = in.from.Add(r.options.window)
	workers := make([]worker, parallel)
	var all sync.WaitGroup
	for i := range workers {
		all.Go(func() { workers[i].loop(r, b, ready, in) })
	}
	all.Wait()
	err = end()
	for _, w := range workers {
		s.rate += w.tests / r.options.window.Seconds()
		s.ready = append(s.ready, w.ready...)
		if err == nil {
			err = w.err
		}
	}
	if err != nil {
		return s, fmt.Errorf("%s with the test %q, %d in parallel: %w", m.name, b.name, parallel, err)
	}
	return s, nil
}

// percentile of sorted durations; p is from 0 to 1.
func percentile(sorted []time.Duration, p float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(p*float64(len(sorted))))]
}

// median of any order of values; of an even number, the upper one of the two in the middle.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// compare measures all methods with all bodies, interleaved, so that what slows the machine down for a while does so
// for all.
func (r *runner) compare(result *result) error {
	defer r.close()
	if err := r.memory(result); err != nil {
		return err
	}
	for _, b := range bodies {
		if !chosen(r.options.bodies, b.name) {
			continue
		}
		rows, err := r.body(b)
		if err != nil {
			return err
		}
		result.Rows = append(result.Rows, rows...)
	}
	return nil
}

// body measures all methods with one body.
func (r *runner) body(b body) ([]row, error) {
	var some []method
	for _, m := range methods {
		if chosen(r.options.methods, m.name) {
			some = append(some, m)
			// Servers start and templates are made.
			if _, err := r.measure(m, b, 2); err != nil {
				return nil, err
			}
		}
	}
	samples := map[key][]sample{}
	for n := range r.options.repetitions {
		fmt.Fprintf(r.progress, "bench: %s, %d of %d\n", b.name, n+1, r.options.repetitions)
		for _, parallel := range r.options.parallels() {
			for i := range some {
				m := some[(i+n)%len(some)]
				s, err := r.measure(m, b, parallel)
				if err != nil {
					return nil, err
				}
				k := key{m.name, parallel}
				samples[k] = append(samples[k], s)
			}
		}
	}
	var rows []row
	for _, m := range some {
		rows = append(rows, newRow(b, m, r.options.parallels(), samples))
	}
	return rows, nil
}

// chosen reports whether a list of names, separated by commas, has this one, or is empty.
func chosen(list, name string) bool {
	return list == "" || slices.Contains(strings.Split(list, ","), name)
}

// names of methods or bodies.
func names[T interface{ String() string }](all []T) (names []string) {
	for _, one := range all {
		names = append(names, one.String())
	}
	return names
}

// list describes a flag that takes names.
func list[T interface{ String() string }](all []T) string {
	return "`names` to measure alone, separated by commas, of " + strings.Join(names(all), ", ")
}

// known reports whether all names of a list are among these.
func known(list string, names []string) bool {
	for _, name := range strings.Split(list, ",") {
		if name != "" && !slices.Contains(names, name) {
			return false
		}
	}
	return true
}
