// Package docs_test holds README.md, CONTRIBUTING.md and docs/ to the code: their links lead somewhere, their code blocks
// compile or parse, and the flags, variables, subcommands and attributes that they name exist.
//
// "go test ./tests/docs -update" writes docs/attributes.md.
package docs_test

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pgcell/pgcell/tests/internal/source"
)

var update = flag.Bool("update", false, "write docs/attributes.md")

// page is a Markdown file of the source tree.
type page struct {
	path   string  // from the root of the tree, with slashes
	prose  string  // the text, with its code blocks as empty lines
	blocks []block // in their order
}

// block is a fenced block of code.
type block struct {
	page     string
	line     int    // of its first line of code, from 1
	language string // the word behind the opening fence
	text     string
}

func mustTree(t *testing.T) string {
	t.Helper()
	tree, err := source.Tree()
	if err != nil {
		t.Fatal(err)
	}
	return tree
}

func mustRead(t *testing.T, elements ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(elements...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// mustPages reads all pages.
func mustPages(t *testing.T) []page {
	t.Helper()
	tree := mustTree(t)
	paths := []string{"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "tools/closednet/README.md"}
	err := filepath.WalkDir(filepath.Join(tree, "docs"), func(path string, _ fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".md" {
			path, err = filepath.Rel(tree, path)
			paths = append(paths, filepath.ToSlash(path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	var pages []page
	for _, path := range paths {
		p, err := split(path, mustRead(t, tree, path))
		if err != nil {
			t.Error(err)
		}
		pages = append(pages, p)
	}
	return pages
}

// fence opens or closes a block; one inside a list is indented.
var fence = regexp.MustCompile("^( *)```([a-z]*)$")

// split takes a page's blocks out of its prose. A fence that is not read as one would hide a block from all checks.
func split(path, text string) (p page, err error) {
	p.path = path
	var prose strings.Builder
	var open *block
	var indent string
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSuffix(line, "\n")
		match := fence.FindStringSubmatch(line)
		odd := match == nil && strings.Contains(line, "```")
		if open != nil && match != nil {
			odd = match[1] != indent || match[2] != ""
		}
		if odd && err == nil {
			err = fmt.Errorf("%s:%d: %q: want a fence with a word of lower-case letters or none, closed as it was opened", path,
				number, line)
		}
		switch {
		case match != nil && open == nil:
			indent = match[1]
			open = &block{page: path, line: number + 1, language: match[2]}
		case match != nil:
			p.blocks = append(p.blocks, *open)
			open = nil
		case open != nil:
			open.text += strings.TrimPrefix(line, indent) + "\n"
		default:
			prose.WriteString(line)
		}
		prose.WriteString("\n")
	}
	if open != nil && err == nil {
		err = fmt.Errorf("%s:%d: a block that is never closed", path, open.line)
	}
	p.prose = prose.String()
	return p, err
}

// What is wrong with a page's fences is found, and what is right is taken out.
func TestSplit(t *testing.T) {
	t.Parallel()
	good, err := split("x.md", "a\n```go\npackage a\n```\n  ```\n  indented\n  ```\nb\n")
	if err != nil || len(good.blocks) != 2 || good.blocks[1].text != "indented\n" || good.blocks[0].line != 3 ||
		good.prose != "a\n\n\n\n\n\n\nb\n" {
		t.Errorf("split = %+v, %v", good, err)
	}
	for text, want := range map[string]string{
		"```go title\nx\n```\n":      "x.md:1: ",
		"```go\nx\n":                 "x.md:2: a block that is never closed",
		"```go\nx\n  ```\n```\n":     "x.md:3: ",
		"a\n```\nx\n```go\ny\n```\n": "x.md:4: ",
	} {
		if _, err := split("x.md", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("split(%q) = %v, want an error with %q", text, err, want)
		}
	}
}

// No page is longer than a reader's patience, but for generated ones and the log of changes.
func TestPagesAreShort(t *testing.T) {
	t.Parallel()
	for _, p := range mustPages(t) {
		lines := strings.Count(p.prose, "\n")
		if lines > 210 && !slices.Contains([]string{"docs/attributes.md", "docs/packages.md", "CHANGELOG.md"}, p.path) {
			t.Errorf("%s has %d lines, want at most 210: divide it", p.path, lines)
		}
	}
}
