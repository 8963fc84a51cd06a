package migrations

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
)

// migration is what a file says.
type migration struct {
	tool        *tool
	up          string
	transaction bool
}

// parseAll reads all files. Files without markers belong to the tool of the others in their folder. All errors come
// at once.
func parseAll(files []File, given bool) (map[string]migration, error) {
	contents := map[string]text{}
	folders := map[string]*tool{}
	for _, f := range files {
		t := scan(f.SQL)
		contents[f.Name] = t
		if m := ways(t.markers()); len(m) > 0 && byFileName(f.Name) == plain {
			folders[path.Dir(f.Name)] = m[0].tool
		}
	}
	parsed := make(map[string]migration, len(files))
	var bad []error
	for _, f := range files {
		m, err := parse(f, contents[f.Name], folders[path.Dir(f.Name)], given)
		bad = append(bad, err)
		parsed[f.Name] = m
	}
	return parsed, errors.Join(bad...)
}

// markers gives the comments that are orders to tools.
func (t text) markers() []marker {
	var markers []marker
	for _, c := range t.comments {
		for _, read := range readers {
			if m, ok := read(c); ok {
				markers = append(markers, m)
				break
			}
		}
	}
	return markers
}

// ways gives the markers at which a way up or down begins.
func ways(markers []marker) []marker {
	return slices.DeleteFunc(slices.Clone(markers), func(m marker) bool { return m.kind != up && m.kind != down })
}

// parse reads one file. folder is the tool of the others in its folder, nil if there is none.
func parse(f File, t text, folder *tool, given bool) (migration, error) {
	markers := t.markers()
	for _, m := range markers {
		if m.kind == wrong {
			return migration{}, f.refuse(m.line, m.problem, "mend the line, or "+howToRun)
		}
	}
	m, err := f.choose(markers, folder, given)
	if err != nil {
		return m, err
	}
	if m.up, err = f.wayUp(m.tool, ways(markers), t); err != nil {
		return m, err
	}
	if m.tool == tern && strings.Contains(m.up, "{{") {
		return m, f.refuse(lineOf(f.SQL, strings.Index(m.up, "{{")), "tern makes SQL from the template {{ }} there", howToRun)
	}
	if m.tool == flyway && len(t.holders) > 0 {
		return m, f.refuse(lineOf(f.SQL, t.holders[0]), "Flyway puts a value into the placeholder ${ } there", howToRun)
	}
	alone := slices.ContainsFunc(markers, func(m marker) bool { return m.alone })
	switch m.tool.transaction {
	case always:
		m.transaction = !alone
	case possible:
		m.transaction = !alone && !slices.ContainsFunc(t.statements, standsAlone)
	}
	return m, nil
}

func (f File) refuse(line int, problem, remedy string) error {
	return &FileError{Name: f.Name, Line: line, Problem: problem, Remedy: remedy}
}

// choose gives the tool that a file was written for.
func (f File) choose(markers []marker, folder *tool, given bool) (migration, error) {
	byName := byFileName(f.Name)
	ways := ways(markers)
	switch {
	case byName != plain:
		if i := slices.IndexFunc(ways, func(m marker) bool { return m.kind == down }); i >= 0 {
			return migration{}, f.refuse(ways[i].line, "a way back may begin there, but "+byName.name+", which the file's name shows, "+
				"would run all of the file", "rename the file, or write the comment in other words")
		}
		return migration{tool: byName}, nil
	case len(ways) > 0:
		for _, m := range ways {
			if m.tool != ways[0].tool {
				return migration{}, f.refuse(m.line, fmt.Sprintf("this line is for %s, but line %d is for %s", m.tool.name, ways[0].line, ways[0].tool.name),
					"keep the lines of one, or "+howToRun)
			}
		}
		return migration{tool: ways[0].tool}, nil
	case len(markers) > 0:
		if folder = markers[0].tool; !folder.whole {
			return migration{}, f.refuse(0, folder.name+" does not run a file without a way up", "add one, or "+howToRun)
		}
		return migration{tool: folder}, nil
	case folder == nil || given && !folder.whole:
		return migration{tool: plain}, nil
	case !folder.whole:
		return migration{}, f.refuse(0, folder.name+", for which the other files of the folder are, does not run a file without a marker",
			"mark its way up, or move it to another folder")
	}
	return migration{tool: folder}, nil
}

// wayUp gives the text of a file with the ways down blanked out, so that lines keep their numbers.
func (f File) wayUp(t *tool, ways []marker, content text) (string, error) {
	if len(ways) == 0 || byFileName(f.Name) != plain {
		return f.SQL, nil
	}
	if err := f.check(t, ways, content); err != nil {
		return "", err
	}
	var out strings.Builder
	pos, keep := 0, true // above the first marker are comments, or the way up of a tool that has no marker for it
	for _, m := range ways {
		out.WriteString(section(f.SQL[pos:m.start], keep))
		pos, keep = m.start, m.kind == up
		if t == tern { // what follows the first separator is the way down, other separators included
			break
		}
	}
	out.WriteString(section(f.SQL[pos:], keep))
	return strings.TrimRight(out.String(), "\n") + "\n", nil
}

func section(sql string, keep bool) string {
	if keep {
		return sql
	}
	return strings.Repeat("\n", strings.Count(sql, "\n"))
}

// check refuses a file whose ways up and down cannot be told apart.
func (f File) check(t *tool, ways []marker, content text) error {
	first := ways[0]
	ups := len(slices.DeleteFunc(slices.Clone(ways), func(m marker) bool { return m.kind == down }))
	downs := len(ways) - ups
	switch {
	case t.headless:
		return nil
	case ups == 0:
		return f.refuse(first.line, "a way back may begin there, but no line says where the way up begins",
			"mark it, reword the comment if it is none, or "+howToRun)
	case first.after > 0:
		return f.refuse(first.line, "the statements above this line belong to neither way", "move them below it")
	case first.kind == down && !t.anyOrder && !t.sections:
		return f.refuse(first.line, "the way down comes first, which "+t.name+" does not read", "put the way up first")
	case !t.sections && (ups > 1 || downs > 1):
		again := ways[slices.IndexFunc(ways[1:], func(m marker) bool { return m.kind == first.kind })+1]
		if ups < 2 {
			again = ways[len(ways)-1]
		}
		return f.refuse(again.line, "this line begins a way a second time", "keep one of each, or "+howToRun)
	}
	return nil
}

func lineOf(sql string, pos int) int { return 1 + strings.Count(sql[:pos], "\n") }
