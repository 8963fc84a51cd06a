package migrations

import (
	"path"
	"slices"
	"strings"
)

// included is what files include by psql's \i and \ir, by name of the file that does. What is included runs there, and
// not by itself.
type included map[string][]File

func findIncluded(files []File) included {
	found := included{}
	for _, f := range files {
		if !strings.Contains(f.SQL, `\i`) {
			continue
		}
		for _, file := range scan(f.SQL).includes {
			if i := find(files, path.Dir(f.Name), file); i >= 0 {
				found[f.Name] = append(found[f.Name], files[i])
			}
		}
	}
	return found
}

// find gives the index of an included file. \i is relative to where psql was started, which may be any folder above.
func find(files []File, dir, file string) int {
	for ; ; dir = path.Dir(dir) {
		name := path.Join(dir, file)
		i := slices.IndexFunc(files, func(f File) bool { return f.Name == name })
		if i >= 0 || dir == "." || dir == "/" {
			return i
		}
	}
}

// others gives the files that no file includes.
func (in included) others(files []File) []File {
	below := map[string]bool{}
	for _, list := range in {
		for _, f := range list {
			below[f.Name] = true
		}
	}
	return slices.DeleteFunc(slices.Clone(files), func(f File) bool { return below[f.Name] })
}

// scripts gives what a file includes, with what that includes in turn. above are the files on the way to it.
func (in included) scripts(name string, above []string) ([]Script, error) {
	if slices.Contains(above, name) {
		return nil, &FileError{Name: name, Problem: "it includes itself, maybe through another file", Remedy: "take the circle out"}
	}
	var scripts []Script
	for _, f := range in[name] {
		below, err := in.scripts(f.Name, append(slices.Clip(above), name))
		if err != nil {
			return nil, err
		}
		scripts = append(scripts, Script{Name: f.Name, SQL: f.SQL, Includes: below})
	}
	return scripts, nil
}
