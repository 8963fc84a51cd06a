package migrations

import (
	"cmp"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Flyway's names: versioned migrations, baselines, undo migrations and repeatable ones.
var (
	flywayVersioned  = regexp.MustCompile(`^V[0-9][0-9._]*__.+\.sql$`)
	flywayBaseline   = regexp.MustCompile(`^B[0-9][0-9._]*__.+\.sql$`)
	flywayUndo       = regexp.MustCompile(`^U[0-9][0-9._]*__.+\.sql$`)
	flywayRepeatable = regexp.MustCompile(`^R__.+\.sql$`)
)

func isFlyway(name string) bool {
	base := path.Base(name)
	return flywayVersioned.MatchString(base) || flywayBaseline.MatchString(base) || flywayRepeatable.MatchString(base)
}

// byVersion orders names by the versions of their folders and files. Repeatable migrations come last, by name.
func byVersion(names []string) ([]string, error) {
	flyway := !slices.ContainsFunc(names, func(name string) bool { return !isFlyway(name) })
	var versioned, repeatable []string
	for _, name := range names {
		if flywayRepeatable.MatchString(path.Base(name)) {
			repeatable = append(repeatable, name)
		} else {
			versioned = append(versioned, name)
		}
	}
	slices.SortFunc(repeatable, func(a, b string) int { return strings.Compare(path.Base(a), path.Base(b)) })
	var tree []leaf
	for _, name := range versioned {
		l := leaf{name: name, elements: strings.Split(name, "/")}
		if flyway { // one line of versions for all folders
			l.elements = []string{path.Base(name)}
		}
		tree = append(tree, l)
	}
	if flyway {
		tree = fromBaseline(tree)
	}
	ordered, err := orderLeaves(tree)
	if err != nil {
		return nil, err
	}
	return append(ordered, repeatable...), nil
}

// leaf is a file with the elements of its path that are still to be compared.
type leaf struct {
	name     string
	elements []string
}

// orderLeaves orders files by the first elements of their paths, and those that share one by the next.
func orderLeaves(leaves []leaf) ([]string, error) {
	if len(leaves) <= 1 {
		return leafNames(leaves), nil
	}
	var firsts []string
	below := map[string][]leaf{}
	for _, l := range leaves {
		first := l.elements[0]
		if _, known := below[first]; !known {
			firsts = append(firsts, first)
		}
		if len(l.elements) == 1 { // even two of one name, which Flyway may find in two folders
			below[first] = append(below[first], leaf{name: l.name})
			continue
		}
		below[first] = append(below[first], leaf{l.name, l.elements[1:]})
	}
	if err := checkOrder(firsts, below); err != nil {
		return nil, err
	}
	slices.SortFunc(firsts, func(a, b string) int { return compareVersions(versionOf(a), versionOf(b)) })
	var ordered []string
	for _, first := range firsts {
		if len(below[first][0].elements) == 0 {
			ordered = append(ordered, leafNames(below[first])...)
			continue
		}
		names, err := orderLeaves(below[first])
		if err != nil {
			return nil, err
		}
		ordered = append(ordered, names...)
	}
	return ordered, nil
}

// checkOrder says which of the elements of a folder have no number, or the same.
func checkOrder(elements []string, below map[string][]leaf) error {
	var open []string
	names := map[string][]string{} // by number
	count := map[string]int{}
	for _, e := range elements {
		v := versionOf(e)
		if v == nil && len(elements) > 1 {
			open = append(open, leafNames(below[e])...)
			continue
		}
		number := strings.Join(v, ".")
		names[number] = append(names[number], leafNames(below[e])...)
		count[number]++
		if len(below[e][0].elements) == 0 { // files; more than one if two folders have the same
			count[number] += len(below[e]) - 1
		}
	}
	if len(open) > 0 {
		slices.Sort(open)
		return &OrderError{Names: open, Problem: "no leading number says when to run them", Remedy: howToOrder}
	}
	var equal []string
	for number, n := range count {
		if n > 1 {
			equal = append(equal, names[number]...)
		}
	}
	if len(equal) == 0 {
		return nil
	}
	slices.Sort(equal)
	return &OrderError{Names: equal, Problem: "they have the same number", Remedy: howToOrder}
}

func leafNames(leaves []leaf) []string {
	var names []string
	for _, l := range leaves {
		names = append(names, l.name)
	}
	return names
}

// fromBaseline drops what Flyway does not run on an empty database: all up to the version of the last baseline.
func fromBaseline(leaves []leaf) []leaf {
	compare := func(a, b leaf) int { return compareVersions(versionOf(a.elements[0]), versionOf(b.elements[0])) }
	bases := slices.DeleteFunc(slices.Clone(leaves), func(l leaf) bool { return !flywayBaseline.MatchString(l.elements[0]) })
	if len(bases) == 0 {
		return leaves
	}
	last := slices.MaxFunc(bases, compare)
	later := slices.DeleteFunc(slices.Clone(leaves), func(l leaf) bool { return compare(l, last) <= 0 })
	return append([]leaf{last}, later...)
}

// version is the leading number of a file or folder: 10, 1.10, 2024-01-02-030405. Its parts have no leading zeros.
type version []string

// versionOf reads the version that an element of a path begins with, V1.10__x and v1.9 included; nil if there is none.
// Further parts follow a dot, a dash, an underscore or, in a time, a T; 2fa in 1_2fa is no part.
func versionOf(element string) version {
	rest := element
	if len(rest) > 1 && strings.ContainsRune("VvBU", rune(rest[0])) && isDigit(rest[1]) {
		rest = rest[1:]
	}
	var v version
	for {
		n := 0
		for n < len(rest) && isDigit(rest[n]) {
			n++
		}
		if n == 0 || len(v) > 0 && n < len(rest) && isLetter(rest[n]) && !isTime(rest[n:]) {
			break
		}
		v = append(v, strings.TrimLeft(rest[:n], "0"))
		rest = rest[n:]
		if len(rest) < 2 || !strings.ContainsRune("._-T", rune(rest[0])) || !isDigit(rest[1]) {
			break
		}
		rest = rest[1:]
	}
	for len(v) > 1 && v[len(v)-1] == "" { // 1.0 is 1
		v = v[:len(v)-1]
	}
	return v
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// isTime reports whether text goes on with the T of 20240102T0304.
func isTime(text string) bool { return len(text) > 1 && text[0] == 'T' && isDigit(text[1]) }

// compareVersions gives -1, 0 or 1; 1 is before 1.1.
func compareVersions(a, b version) int {
	return slices.CompareFunc(a, b, func(x, y string) int {
		return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y))
	})
}
