// Package docs_test holds README.md, CONTRIBUTING.md and docs/ to the code: their links lead somewhere, their code blocks
// compile or parse, and the flags, variables, subcommands and attributes that they name exist.
//
// "go test ./tests/docs -update" writes docs/attributes.md.
package docs_test

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
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
		pages = append(pages, split(path, mustRead(t, tree, path)))
	}
	return pages
}

// fence opens or closes a block; one inside a list is indented.
var fence = regexp.MustCompile("^( *)```([a-z]*)$")

// split takes a page's blocks out of its prose.
func split(path, text string) page {
	p := page{path: path}
	var prose strings.Builder
	var open *block
	var indent string
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSuffix(line, "\n")
		match := fence.FindStringSubmatch(line)
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
	p.prose = prose.String()
	return p
}

// No page is longer than a reader's patience, but for generated ones and the log of changes.
func TestPagesAreShort(t *testing.T) {
	t.Parallel()
	for _, p := range mustPages(t) {
		lines := strings.Count(p.prose, "\n")
		if lines > 210 && p.path != "docs/attributes.md" && p.path != "CHANGELOG.md" {
			t.Errorf("%s has %d lines, want at most 210: divide it", p.path, lines)
		}
	}
}
