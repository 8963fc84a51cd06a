// Package tools_test holds the packages to their floors: imports go downwards, and no package grows beyond what one
// person can keep in mind. It writes docs/packages.md, the picture of them.
package tools_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/packages.md")

const (
	module       = "github.com/pgcell/pgcell/tools/"
	packageLines = 1200 // without tests
	fileLines    = 450
)

// floors are the packages below tools, lowest first. A package imports from lower floors alone.
var floors = []struct {
	name     string
	packages []string
}{
	{"Ground: know nothing of each other", []string{
		"internal/archive", "internal/binaries", "internal/budget", "internal/child", "internal/cli", "internal/gotest",
		"internal/held", "internal/label", "internal/memory", "internal/peer", "internal/process", "internal/secret", "internal/serial",
		"internal/shard", "internal/sqltext", "internal/testargs", "internal/usage", "internal/version", "internal/wire",
	}},
	{"Where data goes; a workspace; migrations", []string{
		"internal/conf", "internal/external", "internal/history", "internal/merge", "internal/migrations", "internal/netns",
		"internal/session", "internal/spawns", "internal/storage", "internal/workspace",
	}},
	{"Bazel; divided test binaries; scripts and facts of a template; the process that keeps a server", []string{
		"internal/bazel", "internal/divide", "internal/facts", "internal/keeper", "internal/psql",
	}},
	{"A server", []string{"internal/postgres"}},
	{"The golden cluster; a used database", []string{"internal/golden", "internal/renew"}},
	{"What cells are made of; a cache of golden clusters; runfiles", []string{
		"internal/cache", "internal/clone", "internal/conns", "internal/dump", "internal/runfiles",
	}},
	{"Results of tests; what is to run; cells", []string{
		"internal/cells", "internal/foreign", "internal/results", "internal/selection", "rules/golden",
	}},
	{"Output files; plans; the library; what exec lends", []string{
		"internal/junit", "internal/page", "internal/plan", "internal/source", "pgcell",
	}},
	{"Sums; lending", []string{"internal/lend", "internal/summary"}},
	{"The terminal; what exec puts before a test process", []string{"internal/gohook", "internal/screen", "internal/split"}},
	{"Subcommands on their own", []string{
		"cmd/pgcell/internal/cimatrix", "cmd/pgcell/internal/exec", "cmd/pgcell/internal/explain", "cmd/pgcell/internal/gc",
		"cmd/pgcell/internal/run", "cmd/pgcell/internal/timings",
	}},
	{"Subcommands that use others", []string{"cmd/pgcell/internal/compare", "cmd/pgcell/internal/doctor"}},
	{"Programs", []string{"bench", "closednet/coverage", "cmd/pgcell", "exec"}},
}

// undivided are packages that are larger than packageLines and wait to be divided. None may join them.
var undivided = []string{"bench", "pgcell"}

// pkg is a package below tools.
type pkg struct {
	path    string // below tools
	summary string // first sentence of the package comment
	lines   int
	files   map[string]int // lines of each file
	imports []string       // paths below tools, sorted
}

// root is the directory tools: of the tree, or of the sources that the BUILD file lays out for this test.
func root(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat("cmd"); err == nil {
		return "."
	}
	sources := filepath.Join("sources", "src", filepath.FromSlash(module))
	if _, err := os.Stat(sources); err != nil {
		t.Fatalf("no sources: %v: run the test in its directory, or as //tools:tools_test", err)
	}
	return sources
}

func mustPackages(t *testing.T) map[string]*pkg {
	t.Helper()
	all := map[string]*pkg{}
	dir := root(t)
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == "testdata" {
			return fs.SkipDir
		}
		name := d.Name()
		if d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		relative, err := filepath.Rel(dir, filepath.Dir(file))
		if err != nil {
			return err
		}
		key := filepath.ToSlash(relative)
		if all[key] == nil {
			all[key] = &pkg{path: key, files: map[string]int{}}
		}
		return all[key].read(file)
	})
	if err != nil {
		t.Fatal(err)
	}
	if all["cmd/pgcell"] == nil {
		t.Fatalf("%s holds no cmd/pgcell", dir)
	}
	return all
}

// read takes a file in.
func (p *pkg) read(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	lines := bytes.Count(text, []byte("\n"))
	p.files[filepath.Base(file)] = lines
	p.lines += lines
	tree, err := parser.ParseFile(token.NewFileSet(), file, text, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		return err
	}
	if summary := firstSentence(tree.Doc); summary != "" {
		p.summary = summary
	}
	for _, spec := range tree.Imports {
		below, ok := strings.CutPrefix(strings.Trim(spec.Path.Value, `"`), module)
		if i, found := slices.BinarySearch(p.imports, below); ok && !found {
			p.imports = slices.Insert(p.imports, i, below)
		}
	}
	return nil
}

// firstSentence gives what a package comment says first, without its "Package x" or "Command x".
func firstSentence(doc *ast.CommentGroup) string {
	if doc == nil {
		return ""
	}
	text := strings.Join(strings.Fields(doc.Text()), " ")
	sentence, _, _ := strings.Cut(text+" ", ". ")
	words := strings.SplitN(strings.TrimSuffix(sentence, "."), " ", 3)
	if len(words) < 3 || words[0] != "Package" && words[0] != "Command" {
		return ""
	}
	return words[2]
}

func floorOf(path string) int {
	return slices.IndexFunc(floors, func(f struct {
		name     string
		packages []string
	}) bool {
		return slices.Contains(f.packages, path)
	})
}

func TestImportsGoDownwards(t *testing.T) {
	t.Parallel()
	all := mustPackages(t)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		floor := floorOf(name)
		if floor < 0 {
			t.Errorf("tools/%s is on no floor: add it to the table in tools/packages_test.go", name)
			continue
		}
		for _, used := range all[name].imports {
			if below := floorOf(used); below >= floor {
				t.Errorf("tools/%s (floor %d) imports tools/%s (floor %d): imports go downwards alone", name, floor, used, below)
			}
		}
	}
	for _, floor := range floors {
		for _, name := range floor.packages {
			if all[name] == nil {
				t.Errorf("the table in tools/packages_test.go has tools/%s, which is gone: remove it there", name)
			}
		}
	}
}

func TestPackagesAreSmall(t *testing.T) {
	t.Parallel()
	for name, p := range mustPackages(t) {
		for file, lines := range p.files {
			if lines > fileLines {
				t.Errorf("tools/%s has %d lines: want at most %d", path.Join(name, file), lines, fileLines)
			}
		}
		switch large := slices.Contains(undivided, name); {
		case large && p.lines <= packageLines:
			t.Errorf("tools/%s has %d lines only: take it off the list of packages to be divided", name, p.lines)
		case !large && p.lines > packageLines:
			t.Errorf("tools/%s has %d lines: want at most %d; divide it", name, p.lines, packageLines)
		}
		if p.summary == "" {
			t.Errorf("tools/%s has no package comment: say in one sentence what it is for", name)
		}
	}
}

func TestPicture(t *testing.T) {
	t.Parallel()
	file := filepath.Join("..", "docs", "packages.md")
	want := picture(mustPackages(t))
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("docs/packages.md is not that of the packages: bring it up to date with go test ./tools -update")
	}
}

// picture draws the import graph and lists the packages, highest floor first.
func picture(all map[string]*pkg) string {
	var b strings.Builder
	fmt.Fprintf(&b, `# Packages

<!-- generated by go test ./tools -update -->

The packages below `+"`tools/`"+`, by floor. An import goes from a higher floor to a lower one, never the other way. A test holds
the code to this table, each package to %d lines and each file to %d. An arrow is an import; where a package is also reached
by a longer way, its arrow is left out.

`, packageLines, fileLines)
	b.WriteString("```mermaid\nflowchart TD\n")
	for i, floor := range slices.Backward(floors) {
		fmt.Fprintf(&b, "  subgraph f%d[\"%s\"]\n", i, floor.name)
		for _, name := range floor.packages {
			fmt.Fprintf(&b, "    %s[%s]\n", node(name), label(name))
		}
		b.WriteString("  end\n")
	}
	for _, floor := range slices.Backward(floors) {
		for _, name := range floor.packages {
			for _, used := range direct(all, name) {
				fmt.Fprintf(&b, "  %s --> %s\n", node(name), node(used))
			}
		}
	}
	b.WriteString("```\n\n| floor | package | what it is for |\n|---|---|---|\n")
	for i, floor := range slices.Backward(floors) {
		for _, name := range floor.packages {
			if p := all[name]; p != nil {
				fmt.Fprintf(&b, "| %d | `%s` | %s |\n", i, name, strings.ReplaceAll(p.summary, "|", `\|`))
			}
		}
	}
	return b.String()
}

func node(name string) string { return strings.ReplaceAll(name, "/", "_") }

// label is a package's name in the picture: what all share is left out.
func label(name string) string {
	if sub, ok := strings.CutPrefix(name, "cmd/pgcell/internal/"); ok {
		return "pgcell " + sub
	}
	return strings.TrimPrefix(name, "internal/")
}

// direct gives the imports of a package that no other of its imports leads to.
func direct(all map[string]*pkg, name string) []string {
	p := all[name]
	if p == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(p.imports), func(used string) bool {
		return slices.ContainsFunc(p.imports, func(other string) bool { return other != used && reaches(all, other, used) })
	})
}

func reaches(all map[string]*pkg, from, to string) bool {
	p := all[from]
	return p != nil && slices.ContainsFunc(p.imports, func(next string) bool {
		return next == to || reaches(all, next, to)
	})
}
