package workspace

import (
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Match gives the files that a pattern matches, sorted: ** stands for any number of directories, and a directory for all
// files in it.
func Match(pattern string) ([]string, error) {
	pattern = filepath.ToSlash(filepath.Clean(pattern))
	fixed := pattern
	if i := strings.IndexAny(pattern, "*?["); i >= 0 {
		fixed = filepath.Dir(pattern[:i] + "x")
	}
	re, err := regexp.Compile("^" + toRegexp(pattern) + "(/.*)?$")
	if err != nil {
		return nil, err
	}
	var found []string
	err = filepath.WalkDir(fixed, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == ".git" || d.Name() == "node_modules") && path != fixed {
			return fs.SkipDir
		}
		if !d.IsDir() && re.MatchString(filepath.ToSlash(path)) {
			found = append(found, path)
		}
		return nil
	})
	slices.Sort(found)
	return found, err
}

// toRegexp turns a pattern into a regular expression.
func toRegexp(pattern string) string {
	var b strings.Builder
	for i := 0; i < len(pattern); i++ {
		switch {
		case strings.HasPrefix(pattern[i:], "**/"):
			b.WriteString("(.*/)?")
			i += 2
		case strings.HasPrefix(pattern[i:], "**"):
			b.WriteString(".*")
			i++
		case pattern[i] == '*':
			b.WriteString("[^/]*")
		case pattern[i] == '?':
			b.WriteString("[^/]")
		default:
			b.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		}
	}
	return b.String()
}
