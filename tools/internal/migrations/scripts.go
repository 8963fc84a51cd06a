package migrations

import (
	"path"
	"slices"
	"strings"
)

// File is an SQL file as it lies in the folder.
type File struct {
	Name string // a path with slashes
	SQL  string
}

// Script is the part of a file that takes the database up.
type Script struct {
	Name string
	SQL  string // lines have the numbers that they have in the file
	// Includes are the files that the script includes by \i and \ir of psql.
	Includes []Script
	// Transaction says that all of the script runs in one transaction, as by the tool that it was written for.
	Transaction bool
	// SameSession says that the script sees what the one before has SET, as by tools that keep their connection.
	SameSession bool
}

// Options say where the order comes from.
type Options struct {
	// Given keeps the order of the files. Otherwise they are put in order of version.
	Given bool
	// Order lists names, or patterns of [path.Match] whose files are put in order of version. Each file has to be in it,
	// other than ways back.
	Order []string
}

// howToOrder is the remedy of errors about order.
const howToOrder = `number them, or write the order out: order = "given" and a list in pg_template, Config.Order in Go`

// howToRun is the remedy where a tool does what this package does not.
const howToRun = "let its own tool run it (attribute migrator of pg_template, Config.Migrate in Go)"

// Scripts gives the scripts of files in the order in which they are to run. Ways back are left out, and so are files that
// another one includes by \i or \ir of psql.
//
// Errors: [*OrderError] if the rules leave the order open; [*FileError] for a file that cannot be read as a way up.
func Scripts(files []File, o Options) ([]Script, error) {
	p, err := plan(files, o)
	return p.scripts, err
}

// planned is what runs, and what is known of it.
type planned struct {
	scripts []Script
	parsed  map[string]migration // by name
}

func plan(files []File, o Options) (planned, error) {
	given := o.Given || len(o.Order) > 0
	in := findIncluded(files)
	for _, f := range files { // first of all: files in a circle would all be left out
		if _, err := in.scripts(f.Name, nil); err != nil {
			return planned{}, err
		}
	}
	files, err := withoutWaysBack(in.others(files), given)
	if err != nil {
		return planned{}, err
	}
	parsed, err := parseAll(files, given)
	if err != nil {
		return planned{}, err
	}
	names, err := order(files, parsed, o)
	if err != nil {
		return planned{}, err
	}
	p := planned{parsed: parsed}
	for i, name := range names {
		m := parsed[name]
		again := i > 0 && m.tool.keepsSession && parsed[names[i-1]].tool == m.tool
		includes, _ := in.scripts(name, nil) // there is no circle
		p.scripts = append(p.scripts, Script{
			Name: name, SQL: m.up, Includes: includes, Transaction: m.transaction, SameSession: again,
		})
	}
	return p, nil
}

// order gives the files' names in the order that o asks for.
func order(files []File, parsed map[string]migration, o Options) ([]string, error) {
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
	}
	switch {
	case len(o.Order) > 0:
		return listed(names, parsed, o.Order)
	case o.Given:
		return names, nil
	}
	return inOrder(names, parsed)
}

// inOrder puts names in the order of the tool that they were written for, which is that of their versions for most.
func inOrder(names []string, parsed map[string]migration) ([]string, error) {
	ordered, err := byVersion(names)
	if err != nil {
		return nil, err
	}
	byName := func(name string) bool { return parsed[name].tool.byName }
	if len(names) > 0 && !slices.ContainsFunc(names, func(name string) bool { return !byName(name) }) {
		slices.SortFunc(ordered, func(a, b string) int {
			return strings.Compare(path.Base(a), path.Base(b))
		})
	}
	return ordered, nil
}

// listed puts names in the order of a list of names and patterns.
func listed(names []string, parsed map[string]migration, list []string) ([]string, error) {
	var ordered []string
	for _, pattern := range list {
		var group []string
		for _, name := range names {
			match, err := path.Match(pattern, name)
			if err != nil {
				return nil, &OrderError{Names: []string{pattern}, Problem: "is no pattern that path.Match understands", Remedy: "mend Config.Order"}
			}
			if (match || pattern == name) && !slices.Contains(ordered, name) {
				group = append(group, name)
			}
		}
		if len(group) == 0 {
			return nil, &OrderError{Names: []string{pattern}, Problem: "is in Config.Order, but no further migration has that name", Remedy: "take it out"}
		}
		group, err := inOrder(group, parsed)
		if err != nil {
			return nil, err
		}
		ordered = append(ordered, group...)
	}
	missing := slices.DeleteFunc(slices.Clone(names), func(name string) bool { return slices.Contains(ordered, name) })
	if len(missing) > 0 {
		return nil, &OrderError{Names: missing, Problem: "not in Config.Order", Remedy: "add them, or keep them out of Config.Migrations"}
	}
	return ordered, nil
}
