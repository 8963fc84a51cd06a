package migrations

import (
	"fmt"
	"strings"
)

// OrderError says that the order of files is open.
type OrderError struct {
	Names   []string
	Problem string // follows the names: "have no number"
	Remedy  string
}

func (e *OrderError) Error() string {
	return fmt.Sprintf("order migrations: %s: %s; %s", join(e.Names), e.Problem, e.Remedy)
}

// FileError says that the way up of a file cannot be told.
type FileError struct {
	Name    string
	Line    int // from 1; 0 for the whole file
	Problem string
	Remedy  string
}

func (e *FileError) Error() string {
	where := e.Name
	if e.Line > 0 {
		where = fmt.Sprintf("%s:%d", e.Name, e.Line)
	}
	return fmt.Sprintf("%s: %s; %s", where, e.Problem, e.Remedy)
}

// join lists names, the first of many.
func join(names []string) string {
	const most = 10
	if len(names) > most {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
	}
	return strings.Join(names, ", ")
}
