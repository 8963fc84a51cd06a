package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/pgcell/pgcell/tools/internal/binaries"
)

//go:embed go.mod
var goMod string

// result is all that a run found; -json writes it. Times are in milliseconds, sizes in bytes.
type result struct {
	Date     time.Time `json:"date"`
	Command  string    `json:"command"`
	Machine  string    `json:"machine"`
	Load     []string  `json:"load"` // averages over 1, 5 and 15 minutes: before, and after
	Go       string    `json:"go"`
	Postgres string    `json:"postgres"`
	Pgx      string    `json:"pgx"`
	Pgtestdb string    `json:"pgtestdb"`
	Rows     []row     `json:"rows,omitempty"`
	Memory   []memory  `json:"memory,omitempty"`
	Long     []point   `json:"long,omitempty"`
}

// row is one method with one kind of test.
type row struct {
	Body   string    `json:"body"`
	Method string    `json:"method"`
	Ready  []float64 `json:"ready_ms"` // p50, p95, p99, tests one after another
	At     []at      `json:"at"`
}

// at is a row's figures for so many tests at once.
type at struct {
	Parallel int       `json:"parallel"`
	Rate     float64   `json:"tests_a_second"` // the median
	Rates    []float64 `json:"repetitions"`
	Ready    []float64 `json:"ready_ms"` // p50, p95, p99
	Floor    float64   `json:"to_floor,omitempty"`
	Pgtestdb float64   `json:"to_pgtestdb,omitempty"`
}

// key is what samples are kept by.
type key struct {
	method   string
	parallel int
}

func newResult(install binaries.Install, command string) result {
	return result{
		Date: time.Now().UTC().Truncate(time.Second), Command: strings.TrimSpace(command),
		Machine: machine(), Load: []string{load()}, Go: runtime.Version(), Postgres: install.Version.String(),
		Pgx: required("github.com/jackc/pgx/v5"), Pgtestdb: required("github.com/peterldowns/pgtestdb"),
	}
}

// required is the version of a module in go.mod.
func required(module string) string {
	for line := range strings.Lines(goMod) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == module {
			return f[1]
		}
	}
	return ""
}

// newRow makes a row of the samples of a method, and compares them with those of the floor and of pgtestdb in the same
// repetitions.
func newRow(b body, m method, parallels []int, samples map[key][]sample) row {
	r := row{Body: b.name, Method: m.name}
	for _, parallel := range parallels {
		own := samples[key{m.name, parallel}]
		a := at{Parallel: parallel, Rates: rates(own), Ready: percentiles(own)}
		a.Rate = median(a.Rates)
		a.Floor = ratio(own, samples[key{floorName, parallel}])
		a.Pgtestdb = ratio(own, samples[key{pgtestdbName, parallel}])
		r.At = append(r.At, a)
	}
	r.Ready = r.At[0].Ready
	return r
}

func rates(samples []sample) (all []float64) {
	for _, s := range samples {
		all = append(all, s.rate)
	}
	return all
}

// ratio is the median of the ratios in each repetition; 0 where there is nothing to compare with.
func ratio(own, other []sample) float64 {
	if len(other) == 0 {
		return 0
	}
	var all []float64
	for i := range own {
		all = append(all, own[i].rate/other[i].rate)
	}
	return median(all)
}

// percentiles are p50, p95 and p99 in milliseconds, of all tests in all repetitions.
func percentiles(samples []sample) []float64 {
	var all []time.Duration
	for _, s := range samples {
		all = append(all, s.ready...)
	}
	slices.Sort(all)
	ms := func(p float64) float64 { return percentile(all, p).Seconds() * 1000 }
	return []float64{ms(0.50), ms(0.95), ms(0.99)}
}

// write writes the files that the user asked for.
func (r result) write(o options) error {
	if o.json != "" {
		text, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(atHome(o.json), append(text, '\n'), 0o644); err != nil {
			return err
		}
	}
	if o.svg != "" && len(r.Rows) > 0 {
		return os.WriteFile(atHome(o.svg), r.plot(r.Rows[0].Body), 0o644)
	}
	return nil
}

// print writes the tables.
func (r result) print(w io.Writer) {
	fmt.Fprintf(w, "%s; %s; PostgreSQL %s, %s, pgx %s, pgtestdb %s; load %s\n",
		r.Date.Format("2006-01-02 15:04 MST"), r.Machine, r.Postgres, r.Go, r.Pgx, r.Pgtestdb,
		strings.Join(r.Load, " before, ")+" after")
	if len(r.Rows) > 0 {
		r.printRows(w)
	}
	if len(r.Memory) > 0 {
		r.printMemory(w)
	}
	if len(r.Long) > 0 {
		r.printLong(w)
	}
}

func (r result) printRows(w io.Writer) {
	g := grid{left: 2, head: []string{"test", "database by", "ready p50", "p95", "p99 ms"}}
	var rates, floors, others []string
	for _, a := range r.Rows[0].At {
		n := fmt.Sprint(a.Parallel)
		rates, floors, others = append(rates, n), append(floors, n), append(others, n)
	}
	rates[0], floors[0], others[0] = "tests/s, 1 at once", "of the floor, 1", "times pgtestdb, 1"
	g.head = slices.Concat(g.head, rates, floors, others)
	for _, row := range r.Rows {
		cells := []string{row.Body, row.Method}
		for _, ms := range row.Ready {
			cells = append(cells, number(ms))
		}
		for _, of := range []func(at) float64{
			func(a at) float64 { return a.Rate },
			func(a at) float64 { return a.Floor },
			func(a at) float64 { return a.Pgtestdb },
		} {
			for _, a := range row.At {
				cells = append(cells, number(of(a)))
			}
		}
		g.add(cells...)
	}
	g.print(w)
}
