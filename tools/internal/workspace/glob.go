package workspace

import (
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Match gives the files that a pattern matches, sorted: ** stands for any number of directories, {a,b} for a or b, and a
// directory for all files in it.
func Match(pattern string) ([]string, error) {
	pattern = filepath.ToSlash(filepath.Clean(pattern))
	fixed := pattern
	if i := strings.IndexAny(pattern, "*?[{"); i >= 0 {
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
		case pattern[i] == '[' && strings.Contains(pattern[i:], "]"):
			end := i + strings.IndexByte(pattern[i:], ']')
			b.WriteString(strings.Replace(pattern[i:end+1], "[!", "[^", 1))
			i = end
		case pattern[i] == '{' && strings.Contains(pattern[i:], "}"):
			end := i + strings.IndexByte(pattern[i:], '}')
			var either []string
			for word := range strings.SplitSeq(pattern[i+1:end], ",") {
				either = append(either, toRegexp(word))
			}
			b.WriteString("(" + strings.Join(either, "|") + ")")
			i = end
		default:
			b.WriteString(regexp.QuoteMeta(pattern[i : i+1]))
		}
	}
	return b.String()
}
