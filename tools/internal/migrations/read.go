package migrations

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

// FromFS gives the scripts of all *.sql files of a file system, put in order of version, or as order lists them: see
// [Options].
//
// Errors: those of [Scripts]; those of the file system, with the file's name; an error if there is no *.sql file.
func FromFS(fsys fs.FS, order []string) ([]Script, error) {
	var files []File
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(name) != ".sql" {
			return err
		}
		text, err := fs.ReadFile(fsys, name)
		if err == nil {
			files = append(files, File{Name: name, SQL: string(text)})
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("read migrations: the file system holds no *.sql file")
	}
	return Scripts(files, Options{Order: order})
}

// FromList gives the scripts of a list in a build file. A list in order of name, as glob returns it, is put in order of
// version; any other list stays as it is, and so does each list that is given.
//
// Errors: those of [Scripts]; [*OrderError] if a part of a list is in order of name, but not of version.
func FromList(files []File, given bool) ([]Script, error) {
	sorted := slices.IsSortedFunc(files, func(a, b File) int { return strings.Compare(a.Name, b.Name) })
	p, err := plan(files, Options{Given: given || !sorted})
	if err == nil && !given && !sorted {
		err = p.checkGlobs()
	}
	return p.scripts, err
}

// SeedsFromList is FromList for files whose order may be open: such a list stays as it is.
func SeedsFromList(files []File) ([]Script, error) {
	scripts, err := FromList(files, false)
	var open *OrderError
	if errors.As(err, &open) {
		return FromList(files, true)
	}
	return scripts, err
}

// checkGlobs refuses a list in which a glob stands beside other files: 10_c.sql comes before 9_b.sql there.
func (p planned) checkGlobs() error {
	folders := map[string][]string{}
	for _, s := range p.scripts {
		folders[path.Dir(s.Name)] = append(folders[path.Dir(s.Name)], s.Name)
	}
	for _, folder := range slices.Sorted(maps.Keys(folders)) {
		names := folders[folder]
		ordered, err := inOrder(names, p.parsed)
		if err == nil && slices.IsSorted(names) && !slices.Equal(ordered, names) {
			return &OrderError{Names: names, Problem: "in a list with others they are in order of name, as glob returns them, but not of number",
				Remedy: `fill the numbers up with zeros, or write all files out in the list, with order = "given"`}
		}
	}
	return nil
}
