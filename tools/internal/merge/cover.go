package merge

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// metaFiles is the file by which go test tells the test binary of packages that it covers and does not import.
const metaFiles = "metafiles.txt"

// Coverage keeps apart what each process says about coverage, and adds it up. The zero value is for binaries that were
// not built for it.
type Coverage struct {
	profile   string
	dir       string
	scratch   string // has a directory for each process
	processes int
}

// NewCoverage makes a directory for each process. profile and dir are the values of -test.coverprofile and
// -test.gocoverdir, absolute; where both are empty, nothing is covered. The directories lie in dir, which go test
// removes in any case.
func NewCoverage(profile, dir string, processes int) (*Coverage, error) {
	c := &Coverage{profile: profile, dir: dir, processes: processes}
	if c.profile == "" && c.dir == "" {
		return c, nil
	}
	var err error
	if c.scratch, err = os.MkdirTemp(c.dir, "pgcell-cover-"); err != nil {
		return nil, fmt.Errorf("divide coverage: %w", err)
	}
	for i := range processes {
		if err := c.prepare(c.of(i)); err != nil {
			_ = os.RemoveAll(c.scratch)
			return nil, fmt.Errorf("divide coverage: %w", err)
		}
	}
	return c, nil
}

func (c *Coverage) of(process int) string { return filepath.Join(c.scratch, strconv.Itoa(process)) }

func (c *Coverage) prepare(dir string) error {
	if err := os.Mkdir(dir, 0o777); err != nil {
		return err
	}
	if c.dir == "" {
		return nil
	}
	err := os.Link(filepath.Join(c.dir, metaFiles), filepath.Join(dir, metaFiles))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Covered reports whether the processes say what they cover.
func (c *Coverage) Covered() bool { return c.scratch != "" }

// Args are the flags of one process, and env its variables.
func (c *Coverage) Args(process int) (args, env []string) {
	if !c.Covered() {
		return nil, nil
	}
	dir := c.of(process)
	args = []string{"-test.coverprofile=" + filepath.Join(dir, "profile"), "-test.gocoverdir=" + dir}
	if c.dir != "" && os.Getenv("GOCOVERDIR") == c.dir {
		env = []string{"GOCOVERDIR=" + dir} // for programs that the test runs
	}
	return args, env
}

// Merge writes the profile and the data of all processes where they were asked for, and gives the covered part of the
// statements: "12.3%". complete is false where a process has died and left none.
func (c *Coverage) Merge() (percent string, complete bool, err error) {
	sum := &profile{counts: map[string]uint64{}}
	for i := range c.processes {
		err := sum.add(filepath.Join(c.of(i), "profile"))
		if errors.Is(err, fs.ErrNotExist) {
			return "", false, nil
		}
		if err != nil {
			return "", false, fmt.Errorf("add up coverage: %w", err)
		}
	}
	if c.profile != "" {
		if err := os.WriteFile(c.profile, sum.text(), 0o666); err != nil {
			return "", false, fmt.Errorf("add up coverage: %w", err)
		}
	}
	if c.dir != "" {
		for i := range c.processes {
			if err := moveFiles(c.of(i), c.dir); err != nil {
				return "", false, fmt.Errorf("add up coverage: %w", err)
			}
		}
	}
	return sum.percent(), true, nil
}

// Remove removes what is left of the directories.
func (c *Coverage) Remove() {
	if c.scratch != "" {
		_ = os.RemoveAll(c.scratch) // go test removes the rest
	}
}

// moveFiles moves covmeta and covcounters files, whose names are unique.
func moveFiles(from, to string) error {
	files, err := filepath.Glob(filepath.Join(from, "cov*"))
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := os.Rename(file, filepath.Join(to, filepath.Base(file))); err != nil {
			return err
		}
	}
	return nil
}

// profile is the sum of coverage profiles: a line "mode: set", and for each block "file:line.column,line.column
// statements count".
type profile struct {
	mode   string
	blocks []string // without the counts, in order
	counts map[string]uint64
}

func (p *profile) add(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, longestLine)
	for lines.Scan() {
		if mode, ok := strings.CutPrefix(lines.Text(), "mode: "); ok {
			p.mode = mode
			continue
		}
		at := strings.LastIndexByte(lines.Text(), ' ')
		count, err := strconv.ParseUint(lines.Text()[at+1:], 10, 64)
		if at < 0 || err != nil {
			return fmt.Errorf("read %s: got %q, want a block and its count", file, lines.Text())
		}
		p.count(lines.Text()[:at], count)
	}
	return lines.Err()
}

func (p *profile) count(block string, count uint64) {
	old, known := p.counts[block]
	if !known {
		p.blocks = append(p.blocks, block)
	}
	if p.mode == "set" {
		p.counts[block] = max(old, count)
	} else {
		p.counts[block] = min(old+count, math.MaxUint32) // as package testing has it
	}
}

func (p *profile) text() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "mode: %s\n", p.mode)
	for _, block := range p.blocks {
		fmt.Fprintf(&b, "%s %d\n", block, p.counts[block])
	}
	return []byte(b.String())
}

// percent is the covered part of the statements, written as package testing does; "" where there are none.
func (p *profile) percent() string {
	var all, covered uint64
	for _, block := range p.blocks {
		n, _ := strconv.ParseUint(block[strings.LastIndexByte(block, ' ')+1:], 10, 64) // 0 for a damaged line
		all += n
		if p.counts[block] > 0 {
			covered += n
		}
	}
	if all == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f%%", 100*float64(covered)/float64(all))
}
