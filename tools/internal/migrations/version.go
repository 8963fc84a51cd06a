package migrations

import (
	"cmp"
	"slices"
	"strings"
)

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

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// isTime reports whether text goes on with the T of 20240102T0304.
func isTime(text string) bool { return len(text) > 1 && text[0] == 'T' && isDigit(text[1]) }

// compareVersions gives -1, 0 or 1; 1 is before 1.1.
func compareVersions(a, b version) int {
	return slices.CompareFunc(a, b, func(x, y string) int {
		return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y))
	})
}
