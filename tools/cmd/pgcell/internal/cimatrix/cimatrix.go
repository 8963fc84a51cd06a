package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"math"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pgcell/pgcell/tools/internal/plan"
)

const matrixLong = `Divide the test targets among machines of a CI system, balanced by recorded time.

It prints one line of JSON for a matrix, as of GitHub Actions: {"include":[{"machine":1,"targets":"//a:t //b:t",
"categories":["a","b"],"seconds":12.5}]}. Each target is of one machine; machines without a target are left out.
Targets without a recorded time count as the mean of the others. Without a path it is what a run without
a path tests.`

func (p *program) matrixCommand() *cobra.Command {
	var machines int
	var by string
	cmd := &cobra.Command{
		Use:   "ci-matrix --machines N [path]...",
		Short: "Divide the test targets among machines of a CI system",
		Long:  matrixLong,
		RunE: func(_ *cobra.Command, args []string) error {
			if machines < 1 {
				return usage("--machines %d: want a number from 1", machines)
			}
			if by != "target" && by != "category" {
				return usage("--shard-by %s: want target or category", by)
			}
			return p.printMatrix(machines, by, args)
		},
	}
	cmd.Flags().IntVar(&machines, "machines", 0, "`number` of machines")
	cmd.Flags().StringVar(&by, "shard-by", "target", "what stays together on one machine: target, or category")
	return cmd
}

// testTarget is a test target as Bazel's query tells of it.
type testTarget struct {
	label    string
	tags     []string
	category string // of the tag category:WORD; the package's last folder without one
}

func matrixError(format string, args ...any) error {
	return &codedError{code: exitBuild, err: fmt.Errorf(format, args...), command: "pgcell ci-matrix"}
}

func (p *program) printMatrix(machines int, by string, paths []string) error {
	space, err := p.findWorkspace()
	if err != nil {
		return err
	}
	targets, err := p.queryTests(space, paths)
	if err != nil {
		return err
	}
	units, err := units(space, targets, by)
	if err != nil {
		return err
	}
	return p.writeMatrix(plan.Divide(units, machines), targets)
}

// queryTests asks Bazel for test targets, without those that no pattern runs (manual), and without a path those that
// no plain run does (e2e).
func (p *program) queryTests(space *workspace, paths []string) ([]testTarget, error) {
	patterns := []string{}
	for _, path := range paths {
		pattern, err := space.pattern(path, false)
		if err != nil {
			return nil, err
		}
		patterns = append(patterns, pattern)
	}
	unwanted := []string{"manual"}
	if len(patterns) == 0 {
		patterns, unwanted = []string{space.everything()}, append(unwanted, "e2e")
	}
	bazel, err := p.findBazel(space)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(bazel, "query", "--output=xml", "--noshow_progress", "--ui_event_filters=-info",
		"tests("+strings.Join(patterns, " + ")+")")
	cmd.Dir, cmd.Env = space.root, p.bazelEnv(&options{})
	var messages bytes.Buffer
	cmd.Stderr = &messages
	output, err := cmd.Output()
	if err != nil {
		return nil, matrixError("ask Bazel for the tests: %w\n%s", err, strings.TrimSpace(messages.String()))
	}
	targets, err := parseQuery(output)
	if err != nil {
		return nil, matrixError("read Bazel's query: %w", err)
	}
	targets = slices.DeleteFunc(targets, func(t testTarget) bool {
		return slices.ContainsFunc(unwanted, func(tag string) bool { return slices.Contains(t.tags, tag) })
	})
	if len(targets) == 0 {
		return nil, &codedError{code: exitNoTests, err: fmt.Errorf("no tests in %s", strings.Join(patterns, " ")),
			command: "pgcell ci-matrix"}
	}
	return targets, nil
}

// queryXML is the output of "bazel query --output=xml", as far as it is read.
type queryXML struct {
	Rules []struct {
		Name  string `xml:"name,attr"`
		Lists []struct {
			Name    string `xml:"name,attr"`
			Strings []struct {
				Value string `xml:"value,attr"`
			} `xml:"string"`
		} `xml:"list"`
	} `xml:"rule"`
}

func parseQuery(output []byte) ([]testTarget, error) {
	// Bazel says XML 1.1, which Go's decoder refuses, though nothing here differs from 1.0.
	output = bytes.Replace(output, []byte(`<?xml version="1.1"`), []byte(`<?xml version="1.0"`), 1)
	var q queryXML
	if err := xml.Unmarshal(output, &q); err != nil {
		return nil, err
	}
	var all []testTarget
	for _, rule := range q.Rules {
		t := testTarget{label: rule.Name}
		for _, list := range rule.Lists {
			for _, s := range list.Strings {
				if list.Name == "tags" {
					t.tags = append(t.tags, s.Value)
				}
			}
		}
		pkg, name, ok := strings.Cut(strings.TrimLeft(rule.Name, "@/"), ":")
		if !ok {
			return nil, errors.New("no label: " + rule.Name)
		}
		t.category = cmp.Or(pkg[strings.LastIndexByte(pkg, '/')+1:], name) // as pg_go_test does
		for _, tag := range t.tags {
			if word, ok := strings.CutPrefix(tag, "category:"); ok {
				t.category = word
			}
		}
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b testTarget) int { return strings.Compare(a.label, b.label) })
	return all, nil
}

// recordedTimes gives the recorded time of each target in a workspace, and the mean of them all.
func recordedTimes(space *workspace) (times map[string]time.Duration, mean time.Duration, err error) {
	packages, err := plan.Recorded(space.root)
	if err != nil {
		return nil, 0, matrixError("%w", err)
	}
	times = map[string]time.Duration{}
	var sum time.Duration
	for _, pkg := range packages {
		if pkg.Damaged != nil {
			return nil, 0, matrixError("%w", pkg.Damaged)
		}
		for target, tests := range pkg.Times {
			for _, took := range tests {
				times["//"+pkg.Path+":"+target] += took
				sum += took
			}
		}
	}
	return times, sum / time.Duration(max(1, len(times))), nil
}

// units joins targets to what stays together, and adds up recorded times. A target without one counts as the mean.
func units(space *workspace, targets []testTarget, by string) ([]plan.Unit, error) {
	times, mean, err := recordedTimes(space)
	if err != nil {
		return nil, err
	}
	byName := map[string]plan.Unit{}
	for _, t := range targets {
		name := t.label
		if by == "category" {
			name = t.category
		}
		took, known := times[t.label]
		if !known {
			took = mean
		}
		u := byName[name]
		byName[name] = plan.Unit{
			Name: name, Targets: append(u.Targets, t.label), Time: u.Time + took, Known: len(times) > 0,
		}
	}
	var all []plan.Unit
	for _, name := range sortedKeys(byName) {
		all = append(all, byName[name])
	}
	return all, nil
}

// machineJSON is one job of the matrix.
type machineJSON struct {
	Machine    int      `json:"machine"` // from 1
	Targets    string   `json:"targets"` // labels with spaces between, as a command line takes them
	Categories []string `json:"categories"`
	Seconds    float64  `json:"seconds"` // sum of the recorded times of tests, to a tenth
}

func (p *program) writeMatrix(machines []plan.Machine, targets []testTarget) error {
	categories := map[string]string{}
	for _, t := range targets {
		categories[t.label] = t.category
	}
	matrix := struct {
		Include []machineJSON `json:"include"`
	}{[]machineJSON{}}
	for i, machine := range machines {
		m := machineJSON{Machine: i + 1, Seconds: math.Round(machine.Time.Seconds()*10) / 10}
		var labels []string
		for _, u := range machine.Units {
			labels = append(labels, u.Targets...)
		}
		slices.Sort(labels)
		for _, label := range labels {
			if c := categories[label]; !slices.Contains(m.Categories, c) {
				m.Categories = append(m.Categories, c)
			}
		}
		m.Targets = strings.Join(labels, " ")
		matrix.Include = append(matrix.Include, m)
	}
	return json.NewEncoder(p.stdout).Encode(matrix)
}
