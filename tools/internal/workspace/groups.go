package workspace

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
)

// AddGroups adds to the groups of tests below [exec] in a workspace's .pgcell.toml, which it makes if there is none. Other
// lines stay as they are. It gives the file's path.
//
// Errors: those of the file system; the file's form is one that AddGroups does not know.
func AddGroups(root string, groups []string) (file string, err error) {
	file = filepath.Join(root, ConfigFile)
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	changed := insertGroups(string(text), groups)
	if err := renameio.WriteFile(file, []byte(changed), 0o666); err != nil {
		return "", err
	}
	if _, err := ReadConfig(root); err != nil { // it was written in a way that this does not know
		return "", errors.Join(err, renameio.WriteFile(file, text, 0o666))
	}
	return file, nil
}

// insertGroups adds groups to the text of a .pgcell.toml, whose other lines stay as they are.
func insertGroups(text string, groups []string) string {
	var items strings.Builder
	for _, g := range groups {
		fmt.Fprintf(&items, "\n    %q,", g)
	}
	lines := strings.SplitAfter(text, "\n")
	inExec, header := false, -1
	for i, line := range lines {
		trimmed := strings.TrimSpace(line)
		if strings.HasPrefix(trimmed, "[") {
			inExec = trimmed == "[exec]"
			if inExec {
				header = i
			}
		}
		key, value, _ := strings.Cut(line, "=")
		if at := strings.Index(value, "["); inExec && strings.TrimSpace(key) == "group" && at >= 0 {
			lines[i] = key + "=" + value[:at+1] + items.String() + value[at+1:]
			return strings.Join(lines, "")
		}
	}
	entry := "group = [" + items.String() + "\n]\n"
	if header >= 0 {
		if !strings.HasSuffix(lines[header], "\n") {
			lines[header] += "\n"
		}
		lines[header] += entry
		return strings.Join(lines, "")
	}
	if text != "" && !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	return text + "[exec]\n" + entry
}
