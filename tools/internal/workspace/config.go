package workspace

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
	shellquote "github.com/kballard/go-shellquote"

	"github.com/pgcell/pgcell/tools/internal/cli"
)

// ConfigFile is the file in the workspace's root that holds what pytest.ini holds for pytest.
const ConfigFile = ".pgcell.toml"

// Config is what .pgcell.toml says.
type Config struct {
	Run struct {
		Addopts   Words    `toml:"addopts"`   // flags before those of the command line: a string or a list of strings
		Maxfail   *int     `toml:"maxfail"`   // the default of --maxfail
		Markers   []string `toml:"markers"`   // words for -m, each "name" or "name: what it means"
		Testpaths []string `toml:"testpaths"` // what runs without a path, relative to the workspace

		// ExcludeTags are tags of tests that do not run unless a path or --all is given.
		ExcludeTags []string `toml:"exclude_tags"`

		// Explain says whether to keep what "pgcell explain" compares; nil is true.
		Explain *bool `toml:"explain"`
	} `toml:"run"`

	// Exec has the flags of "pgcell exec", which knows them.
	Exec map[string]any `toml:"exec"`
}

// ReadConfig reads a workspace's .pgcell.toml; without one all is empty.
func ReadConfig(root string) (*Config, error) {
	var c Config
	meta, err := toml.DecodeFile(filepath.Join(root, ConfigFile), &c)
	if errors.Is(err, fs.ErrNotExist) {
		return &c, nil
	}
	var syntax toml.ParseError
	if errors.As(err, &syntax) {
		return nil, cli.Usage("%s:%d: %s: want TOML", ConfigFile, syntax.Position.Line, syntax.Message)
	}
	if err != nil {
		return nil, cli.Usage("%s: %w", ConfigFile, err)
	}
	unknown := slices.DeleteFunc(meta.Undecoded(), func(key toml.Key) bool { return key[0] == "exec" })
	if len(unknown) > 0 {
		return nil, cli.Usage("%s: unknown key %q: want addopts, maxfail, markers, testpaths, exclude_tags or explain below [run]",
			ConfigFile, unknown[0])
	}
	if c.Run.Maxfail != nil && *c.Run.Maxfail < 0 {
		return nil, cli.Usage("%s: maxfail = %d: want a number from 0", ConfigFile, *c.Run.Maxfail)
	}
	return &c, nil
}

// KeepsExecutions reports whether runs keep what "pgcell explain" compares.
func (c *Config) KeepsExecutions() bool { return c.Run.Explain == nil || *c.Run.Explain }

// Declares reports whether word is among the markers.
func (c *Config) Declares(word string) bool {
	return slices.ContainsFunc(c.Run.Markers, func(marker string) bool {
		name, _, _ := strings.Cut(marker, ":")
		return strings.TrimSpace(name) == word
	})
}

// Words is a list of strings, which may be written as one string with spaces between them.
type Words []string

// UnmarshalTOML takes both forms.
func (w *Words) UnmarshalTOML(value any) error {
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

// splitWords cuts a line at its spaces, as a shell does; quotes hold words together.
func splitWords(line string) ([]string, error) {
	words, err := shellquote.Split(line)
	switch {
	case errors.Is(err, shellquote.UnterminatedSingleQuoteError):
		return nil, fmt.Errorf("addopts: a ' is missing in %q", line)
	case errors.Is(err, shellquote.UnterminatedDoubleQuoteError):
		return nil, fmt.Errorf("addopts: a \" is missing in %q", line)
	case err != nil:
		return nil, fmt.Errorf("addopts: split %q: %w: write a list of strings instead", line, err)
	}
	return words, nil
}
