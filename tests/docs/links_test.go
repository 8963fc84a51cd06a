package docs_test

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	link     = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading  = regexp.MustCompile(`(?m)^#+ (.*)$`)
	codeSpan = regexp.MustCompile("`[^`\n]+`")
	// What GitHub leaves out of a heading's anchor.
	notInAnchor = regexp.MustCompile(`[^\p{L}\p{N}\p{M}_\- ]`)
)

// anchors are the fragments that lead to a page's headings, as GitHub makes them.
func anchors(p page) map[string]bool {
	all := map[string]bool{}
	for _, match := range heading.FindAllStringSubmatch(p.prose, -1) {
		anchor := strings.ReplaceAll(notInAnchor.ReplaceAllString(strings.ToLower(match[1]), ""), " ", "-")
		for n, free := 1, anchor; all[anchor]; n++ {
			anchor = fmt.Sprintf("%s-%d", free, n)
		}
		all[anchor] = true
	}
	return all
}

func TestLinks(t *testing.T) {
	t.Parallel()
	tree, pages := mustTree(t), mustPages(t)
	found := map[string]map[string]bool{}
	for _, p := range pages {
		found[p.path] = anchors(p)
	}
	checked := 0
	for _, p := range pages {
		for _, match := range link.FindAllStringSubmatch(codeSpan.ReplaceAllString(p.prose, "x"), -1) {
			if strings.Contains(match[1], "://") {
				continue
			}
			checked++
			file, anchor, _ := strings.Cut(match[1], "#")
			target := p.path
			if file != "" {
				target = path.Join(path.Dir(p.path), file)
			}
			if _, err := os.Stat(filepath.Join(tree, target)); err != nil {
				t.Errorf("%s links to %s: %v", p.path, match[1], err)
			} else if anchor != "" && !found[target][anchor] {
				t.Errorf("%s links to %s: %s has no heading with that anchor", p.path, match[1], target)
			}
		}
	}
	if checked < 20 {
		t.Errorf("%d links to files of the tree are checked, want 20 or more", checked)
	}
}

// Each page of docs/ is reached by links from README.md.
func TestPagesAreReached(t *testing.T) {
	t.Parallel()
	links := map[string][]string{}
	pages := mustPages(t)
	for _, p := range pages {
		for _, match := range link.FindAllStringSubmatch(p.prose, -1) {
			file, _, _ := strings.Cut(match[1], "#")
			links[p.path] = append(links[p.path], path.Join(path.Dir(p.path), file))
		}
	}
	reached, next := map[string]bool{"README.md": true}, []string{"README.md"}
	for len(next) > 0 {
		from := next[0]
		next = next[1:]
		for _, to := range links[from] {
			if !reached[to] {
				reached[to] = true
				next = append(next, to)
			}
		}
	}
	for _, p := range pages {
		if !reached[p.path] {
			t.Errorf("no link leads from README.md to %s", p.path)
		}
	}
}

// Comments, messages and docstrings name pages of docs/ that exist.
func TestPagesThatCodeNames(t *testing.T) {
	t.Parallel()
	tree := mustTree(t)
	name := regexp.MustCompile(`(?:^|[^/\w.-])(docs/[\w/-]+\.md)`)
	for _, file := range codeFiles(t, ".go", ".bzl", ".bazel", ".sh") {
		for _, match := range name.FindAllStringSubmatch(mustRead(t, tree, file), -1) {
			if _, err := os.Stat(filepath.Join(tree, match[1])); err != nil {
				t.Errorf("%s names %s: %v", file, match[1], err)
			}
		}
	}
}
