package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

// configName is the file in the workspace's root that holds what pytest.ini holds for pytest.
const configName = ".pgcell.toml"

// config is .pgcell.toml.
type config struct {
	Run struct {
		Addopts   words    `toml:"addopts"`   // flags before those of the command line: a string or a list of strings
		Maxfail   *int     `toml:"maxfail"`   // the default of --maxfail
		Markers   []string `toml:"markers"`   // words for -m, each "name" or "name: what it means"
		Testpaths []string `toml:"testpaths"` // what runs without a path, relative to the workspace
	} `toml:"run"`
}

// readConfig reads a workspace's .pgcell.toml; without one all is empty.
func readConfig(root string) (*config, error) {
	var c config
	meta, err := toml.DecodeFile(filepath.Join(root, configName), &c)
	if errors.Is(err, fs.ErrNotExist) {
		return &c, nil
	}
	var syntax toml.ParseError
	if errors.As(err, &syntax) {
		return nil, usage("%s:%d: %s: want TOML", configName, syntax.Position.Line, syntax.Message)
	}
	if err != nil {
		return nil, usage("%s: %w", configName, err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		return nil, usage("%s: unknown key %q: want addopts, maxfail, markers or testpaths below [run]", configName,
			unknown[0])
	}
	if c.Run.Maxfail != nil && *c.Run.Maxfail < 0 {
		return nil, usage("%s: maxfail = %d: want a number from 0", configName, *c.Run.Maxfail)
	}
	return &c, nil
}

// declares reports whether word is among the markers.
func (c *config) declares(word string) bool {
	return slices.ContainsFunc(c.Run.Markers, func(marker string) bool {
		name, _, _ := strings.Cut(marker, ":")
		return strings.TrimSpace(name) == word
	})
}

// words is a list of strings, which may be written as one string with spaces between them.
type words []string

// UnmarshalTOML takes both forms.
func (w *words) UnmarshalTOML(value any) error {
	switch value := value.(type) {
	case string:
		split, err := splitWords(value)
		*w = split
		return err
	case []any:
		for _, v := range value {
			word, ok := v.(string)
			if !ok {
				return fmt.Errorf("addopts: got %v in the list, want strings", v)
			}
			*w = append(*w, word)
		}
		return nil
	}
	return fmt.Errorf("addopts: got %v, want a string or a list of strings", value)
}

// splitWords cuts a line at its spaces, as a shell does; single and double quotes hold words together.
func splitWords(line string) ([]string, error) {
	var words []string
	var word strings.Builder
	quote, within := rune(0), false
	for _, r := range line {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, within = r, true
		case quote == 0 && (r == ' ' || r == '\t' || r == '\n'):
			if within {
				words = append(words, word.String())
			}
			word.Reset()
			within = false
		default:
			word.WriteRune(r)
			within = true
		}
	}
	if quote != 0 {
		return nil, fmt.Errorf("addopts: a %c is missing in %q", quote, line)
	}
	if within {
		words = append(words, word.String())
	}
	return words, nil
}

// withAddopts puts the flags of .pgcell.toml before those of the command line, so that the latter win. It also reads
// the
// file. Outside of a workspace there are none.
func (p *program) withAddopts(args []string) ([]string, *config, error) {
	w, err := p.findWorkspace()
	if err != nil {
		return args, &config{}, nil // said later, unless it was for help
	}
	c, err := readConfig(w.root)
	if err != nil {
		return args, &config{}, err
	}
	for _, option := range c.Run.Addopts {
		if option == "--" {
			return args, c, usage(`%s: addopts: "--" cannot stand there: flags for Bazel go into .bazelrc`, configName)
		}
	}
	return append(slices.Clone([]string(c.Run.Addopts)), args...), c, nil
}
