package plan

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/shard"
	"github.com/pgcell/pgcell/tools/internal/workspace"
)

// Package is a Bazel package with its recorded times.
type Package struct {
	Path    string // "tests/integration/ddl"; empty for the root
	Build   *BuildFile
	Times   shard.Times // never nil
	Damaged error       // why the file of recorded times could not be read; Times is empty then

	file string
	text []byte // nil where there is no file
	had  bool   // the file has times, or is damaged
}

// OpenPackage reads a package of the workspace in root. The error is fs.ErrNotExist where the directory is none.
func OpenPackage(root, path string) (*Package, error) {
	dir := filepath.Join(root, filepath.FromSlash(path))
	build, err := OpenBuildFile(dir)
	if err != nil {
		return nil, err
	}
	p := &Package{Path: path, Build: build, Times: shard.Times{}, file: filepath.Join(dir, shard.TimesFile)}
	p.text, err = os.ReadFile(p.file)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read recorded times: %w", err)
	}
	times, err := shard.ParseTimes(p.text)
	if err != nil {
		p.had = true
		p.Damaged = fmt.Errorf("read recorded times in %q: %w", p.file, err)
		return p, nil
	}
	p.Times, p.had = times, len(times) > 0
	return p, nil
}

// File is the path of the file of recorded times in the workspace, whether it is there or not.
func (p *Package) File() string { return strings.TrimPrefix(p.Path+"/"+shard.TimesFile, "/") }

// records reports whether the package keeps times of a suite: of every pg_go_test, of what another macro has divided
// into shards, and of all suites where somebody has made the file.
func (p *Package) records(s *Suite) bool {
	switch p.Build.Target(s.Target).Kind {
	case "pg_go_test":
		return true
	case "go_test", "":
		return p.text != nil
	default:
		return p.text != nil || s.Shards > 1
	}
}

// Update takes in what suites of this package took, and gives the number of tests that are recorded anew, otherwise or
// no more. A test that has no result keeps its time as long as the package's Go files name it, for a filter may have
// left it out, or it may have failed.
func (p *Package) Update(suites []*Suite) (changed int) {
	ran := shard.Times{}
	for _, s := range suites {
		if !p.records(s) {
			continue
		}
		for test, took := range s.Passed {
			ran.Set(s.Target, test, took)
		}
	}
	names := p.names()
	updated := p.Times.Update(ran, func(target, test string) bool {
		return names[test] && (p.Build.Target(target).Kind != "" || ran[target] != nil)
	})
	changed = differences(p.Times, updated)
	p.Times = updated
	return changed
}

// differences counts the tests of which two records differ.
func differences(a, b shard.Times) int {
	n := 0
	for target, tests := range a {
		for test := range tests {
			if _, ok := b[target][test]; !ok {
				n++
			}
		}
	}
	for target, tests := range b {
		for test, took := range tests {
			if before, ok := a[target][test]; !ok || before != took {
				n++
			}
		}
	}
	return n
}

var function = regexp.MustCompile(`(?m)^func ((?:Test|Example|Fuzz)[\pL\pN_]*)\(`)

// names gives the names of tests in the Go files of the package's directory.
func (p *Package) names() map[string]bool {
	names := map[string]bool{}
	files, _ := filepath.Glob(filepath.Join(filepath.Dir(p.file), "*.go")) // fails for a bad pattern alone
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		for _, m := range function.FindAllSubmatch(text, -1) {
			names[string(m[1])] = true
		}
	}
	return names
}

// Save writes the recorded times, unless the file says the same already, and reports whether it was written.
func (p *Package) Save() (written bool, err error) {
	if len(p.Times) == 0 && !p.had {
		return false, nil
	}
	text := p.Times.Format()
	if bytes.Equal(text, p.text) {
		return false, nil
	}
	return true, writeFile(p.file, text)
}

// Recorded gives the packages of the workspace in root that have recorded times, by path. Workspaces inside of it are
// not of it.
func Recorded(root string) ([]*Package, error) {
	var all []*Package
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && file != root && (strings.HasPrefix(d.Name(), ".") || workspace.IsRoot(file)) {
			return fs.SkipDir
		}
		if d.IsDir() || d.Name() != shard.TimesFile {
			return nil
		}
		path, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			return err
		}
		p, err := OpenPackage(root, strings.TrimPrefix(filepath.ToSlash(path), "."))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		all = append(all, p)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("find recorded times: %w", err)
	}
	slices.SortFunc(all, func(a, b *Package) int { return strings.Compare(a.Path, b.Path) })
	return all, nil
}
