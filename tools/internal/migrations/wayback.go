package migrations

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

var (
	// downFile is a way back by its name alone: of golang-migrate and sqlx, of Hasura and Diesel, of postgrator.
	downFile = regexp.MustCompile(`(?i)(\.down\.sql|(^|/)down\.sql)$|(^|/)[0-9]+\.undo(\.[^/]*)?\.sql$`)
	// maybeDown ends in a word that is a way back if another file has the same number, or the same name without it.
	maybeDown = regexp.MustCompile(`(?i)^(.*[^a-z])?(down|undo|rollback|revert)\.sql$`)
	// upWord is what the other file may have in its place.
	upWord     = regexp.MustCompile(`(?i)[._-]?(up|do)$`)
	downFolder = regexp.MustCompile(`(?i)^(down|undo|rollback|revert)$`)
	upFolder   = regexp.MustCompile(`(?i)^(up|do|deploy)$`)
)

// withoutWaysBack leaves out the files that take a database down. A file that may be one is refused, unless the order
// was given: then it was listed by hand.
func withoutWaysBack(files []File, given bool) ([]File, error) {
	pairs := false // whether any file has such a partner
	partners := map[string]bool{}
	for _, f := range files {
		partners[f.Name] = hasUp(f.Name, files)
		pairs = pairs || partners[f.Name]
	}
	var kept []File
	for _, f := range files {
		base := path.Base(f.Name)
		switch {
		case downFile.MatchString(f.Name), flywayUndo.MatchString(base), partners[f.Name], besideUp(f.Name, files):
			continue
		case !given && maybeDown.MatchString(base) && (pairs || versionOnly(base)):
			return nil, &FileError{Name: f.Name, Problem: "it may be a way back, but there is no file that it would undo",
				Remedy: "rename it, or " + howToOrder[len("number them, or "):]}
		}
		kept = append(kept, f)
	}
	return kept, nil
}

// hasUp reports whether the file's name ends in a word such as down and another file in its folder is what it undoes.
func hasUp(name string, files []File) bool {
	match := maybeDown.FindStringSubmatch(path.Base(name))
	if match == nil {
		return false
	}
	stem := strings.TrimRight(match[1], "._-")
	return slices.ContainsFunc(files, func(other File) bool {
		base := path.Base(other.Name)
		if other.Name == name || path.Dir(other.Name) != path.Dir(name) || maybeDown.MatchString(base) {
			return false
		}
		otherStem := upWord.ReplaceAllString(strings.TrimSuffix(base, ".sql"), "")
		v := versionOf(base)
		return strings.EqualFold(otherStem, stem) || v != nil && compareVersions(v, versionOf(path.Base(name))) == 0
	})
}

// versionOnly reports whether nothing but a number stands before the word, as in 001_down.sql.
func versionOnly(base string) bool {
	stem := maybeDown.FindStringSubmatch(base)[1]
	return versionOf(stem) != nil && strings.Trim(stem, "0123456789._-") == ""
}

// besideUp reports whether the file lies in a folder such as down that has a sibling such as up.
func besideUp(name string, files []File) bool {
	elements := strings.Split(name, "/")
	for i, e := range elements[:len(elements)-1] {
		if !downFolder.MatchString(e) {
			continue
		}
		above := strings.Join(elements[:i], "/")
		if slices.ContainsFunc(files, func(f File) bool {
			others := strings.Split(f.Name, "/")
			return len(others) > i+1 && strings.Join(others[:i], "/") == above && upFolder.MatchString(others[i])
		}) {
			return true
		}
	}
	return false
}
