package main

import (
	"bufio"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
)

// report is what an lcov file says, by source file.
type report map[string]*source

// source is what was counted in one source file.
type source struct {
	lines     map[int]uint64    // how often each line ran
	functions map[string]int    // where each function begins
	calls     map[string]uint64 // how often each function was called
	branches  map[branch]taken  // of each branch
}

// branch is a place where the control flow divides: a line, a block in it, a branch of that.
type branch struct {
	line      int
	block, at string
}

// taken is how often a branch was taken; known is false if its condition was never evaluated.
type taken struct {
	count uint64
	known bool
}

func newSource() *source {
	return &source{
		lines: map[int]uint64{}, functions: map[string]int{}, calls: map[string]uint64{}, branches: map[branch]taken{},
	}
}

// addFile adds the counts of an lcov file.
func (r report) addFile(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	var current *source
	scanner := bufio.NewScanner(file)
	scanner.Buffer(nil, 16<<20)
	for number := 1; scanner.Scan(); number++ {
		line := strings.TrimSpace(scanner.Text())
		tag, value, _ := strings.Cut(line, ":")
		switch {
		case line == "end_of_record":
			current = nil
		case tag == "SF":
			if r[value] == nil {
				r[value] = newSource()
			}
			current = r[value]
		case current != nil:
			if err := current.add(tag, value); err != nil {
				return fmt.Errorf("read the coverage %s, line %d: %q: %w", path, number, line, err)
			}
		}
	}
	if err := scanner.Err(); err != nil {
		return fmt.Errorf("read the coverage %s: %w", path, err)
	}
	return nil
}

// add adds one line of a record. Sums (LF, LH, ...) are made anew, and tags that are not known are left out.
func (s *source) add(tag, value string) error {
	fields := strings.Split(value, ",")
	want := map[string]int{"DA": 2, "FN": 2, "FNDA": 2, "BRDA": 4}[tag]
	if len(fields) < want {
		return fmt.Errorf("%d values, want %d", len(fields), want)
	}
	switch tag {
	case "DA":
		return s.addLine(fields[0], fields[1])
	case "FN":
		line, err := strconv.Atoi(fields[0])
		s.functions[fields[len(fields)-1]] = line
		return err
	case "FNDA":
		count, err := strconv.ParseUint(fields[0], 10, 64)
		s.calls[strings.Join(fields[1:], ",")] += count
		return err
	case "BRDA":
		return s.addBranch(fields)
	}
	return nil
}

func (s *source) addLine(number, times string) error {
	line, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	count, err := strconv.ParseUint(times, 10, 64)
	s.lines[line] += count
	return err
}

func (s *source) addBranch(fields []string) error {
	line, err := strconv.Atoi(fields[0])
	if err != nil {
		return err
	}
	key := branch{line, fields[1], fields[2]}
	sum := s.branches[key]
	if fields[3] != "-" {
		count, err := strconv.ParseUint(fields[3], 10, 64)
		if err != nil {
			return err
		}
		sum = taken{sum.count + count, true}
	}
	s.branches[key] = sum
	return nil
}

// String gives the report as lcov writes it, in an order that depends on the contents alone.
func (r report) String() string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(r)) {
		fmt.Fprintf(&b, "SF:%s\n", name)
		r[name].write(&b)
		b.WriteString("end_of_record\n")
	}
	return b.String()
}

func (s *source) write(b *strings.Builder) {
	hit := 0
	for _, name := range slices.Sorted(maps.Keys(s.functions)) {
		fmt.Fprintf(b, "FN:%d,%s\n", s.functions[name], name)
	}
	for _, name := range slices.Sorted(maps.Keys(s.functions)) {
		fmt.Fprintf(b, "FNDA:%d,%s\n", s.calls[name], name)
		hit += ran(s.calls[name])
	}
	writeSums(b, "FN", len(s.functions), hit)
	s.writeBranches(b)
	hit = 0
	for _, line := range slices.Sorted(maps.Keys(s.lines)) {
		fmt.Fprintf(b, "DA:%d,%d\n", line, s.lines[line])
		hit += ran(s.lines[line])
	}
	fmt.Fprintf(b, "LH:%d\nLF:%d\n", hit, len(s.lines))
}

func (s *source) writeBranches(b *strings.Builder) {
	hit := 0
	keys := slices.SortedFunc(maps.Keys(s.branches), func(x, y branch) int {
		return slices.CompareFunc(x.numbers(), y.numbers(), func(a, b int) int { return a - b })
	})
	for _, key := range keys {
		count := "-"
		if sum := s.branches[key]; sum.known {
			count = strconv.FormatUint(sum.count, 10)
			hit += ran(sum.count)
		}
		fmt.Fprintf(b, "BRDA:%d,%s,%s,%s\n", key.line, key.block, key.at, count)
	}
	writeSums(b, "BR", len(keys), hit)
}

// numbers gives what branches are sorted by; a name that is no number counts as 0.
func (k branch) numbers() []int {
	block, _ := strconv.Atoi(k.block)
	at, _ := strconv.Atoi(k.at)
	return []int{k.line, block, at}
}

// writeSums writes how many there are, and how many of them ran, if there are any.
func writeSums(b *strings.Builder, tag string, found, hit int) {
	if found > 0 {
		fmt.Fprintf(b, "%sF:%d\n%sH:%d\n", tag, found, tag, hit)
	}
}

func ran(count uint64) int {
	if count > 0 {
		return 1
	}
	return 0
}
