package split

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"

	"github.com/kballard/go-shellquote"
)

// The places for files in a command.
const (
	someFiles = "{}"
	oneFile   = "{file}"
)

// HasPlace reports whether a command has a place for files.
func HasPlace(command []string) bool {
	return slices.ContainsFunc(command, func(word string) bool {
		return strings.Contains(word, someFiles) || strings.Contains(word, oneFile)
	})
}

// ErrNoPlace says that a command has none.
var ErrNoPlace = errors.New("COMMAND has no {}: put it where the names of files go, as in: npx mocha {}")

// interpreters are programs that take the first of several files for a program, and the others for its arguments.
var interpreters = []string{
	"sh", "bash", "dash", "ksh", "zsh", "fish", "node", "bun", "perl", "php", "python", "python3", "ruby", "Rscript", "tclsh",
}

// each reports whether a process of a command takes one file alone.
func each(command []string) bool {
	if slices.ContainsFunc(command, func(word string) bool { return strings.Contains(word, oneFile) }) {
		return true
	}
	if !slices.Contains(interpreters, filepath.Base(command[0])) {
		return false
	}
	for _, word := range command[1:] {
		if word == someFiles {
			return true
		}
		if !strings.HasPrefix(word, "-") || strings.HasPrefix(word, "--test") { // node --test takes several
			return false
		}
	}
	return false
}

// with gives a command with files in their places.
func with(command, files []string) []string {
	quoted := strings.NewReplacer(someFiles, shellquote.Join(files...), oneFile, shellquote.Join(files...))
	var all []string
	for _, word := range command {
		if word == someFiles || word == oneFile {
			all = append(all, files...)
		} else {
			all = append(all, quoted.Replace(word))
		}
	}
	return all
}

// Again gives the beginning of a command that runs a part again, of the arguments of this program, from "exec" on: without
// what chose the files, and up to "--". It leaves out the value of --server, which may hold a password.
func Again(args []string) string {
	words := []string{"pgcell"}
	for i := 0; i < len(args); i++ {
		if args[i] == "--" {
			break
		}
		name, _, inOne := strings.Cut(args[i], "=")
		if name != "--split" && name != "--shards" && name != "--server" {
			words = append(words, args[i])
			continue
		}
		if !inOne {
			i++ // its value
		}
	}
	return shellquote.Join(append(words, "--")...)
}
