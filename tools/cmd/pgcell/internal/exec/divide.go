package exec

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/google/renameio/v2"

	"github.com/pgcell/pgcell/tools/internal/gohook"
	"github.com/pgcell/pgcell/tools/internal/history"
	"github.com/pgcell/pgcell/tools/internal/workspace"
)

// divide reads the flags that divide test binaries of go test; nil if none is given.
func (o *options) divide(getenv func(string) string) (*gohook.Divide, error) {
	d := &gohook.Divide{Each: o.isolate == "test", Diagnose: o.diagnose, Suites: o.suites}
	if o.isolate != "" && o.isolate != "test" && o.isolate != "package" {
		return nil, usage("--isolate %s: want test or package", o.isolate)
	}
	if o.shards != "" && o.shards != "auto" {
		n, err := strconv.Atoi(o.shards)
		if err != nil || n < 1 {
			return nil, usage("--shards %s: want a number from 1, or auto", o.shards)
		}
		d.Shards = n
	}
	for _, group := range o.groups {
		d.Groups = append(d.Groups, strings.Split(group, ","))
	}
	if o.shards == "" && !d.Each {
		if o.diagnose {
			return nil, usage("--diagnose runs tests again that --shards or --isolate test made fail: give one of them")
		}
		return nil, nil
	}
	if cache, err := history.CacheDir(getenv); err == nil { // without one, no times are recorded
		d.Times = filepath.Join(cache, "pgcell", "times")
	}
	return d, nil
}

// keepGroups writes groups that a diagnosis found into .pgcell.toml.
func (s *session) keepGroups() {
	found := slices.DeleteFunc(gohook.Groups(s.dir.Path()), func(g string) bool { return slices.Contains(s.o.groups, g) })
	if len(found) == 0 {
		return
	}
	file, err := addGroups(slices.Compact(slices.Sorted(slices.Values(found))))
	if err != nil {
		fmt.Fprintf(s.p.Stderr, "pgcell: keep groups of tests: %v; add to .pgcell.toml below [exec]: group = %q\n", err, found)
		return
	}
	fmt.Fprintf(s.p.Stderr, "pgcell: tests that depend on others are now groups in %s\n", file)
}

// addGroups adds groups to the nearest .pgcell.toml, or makes one in the current directory.
func addGroups(groups []string) (file string, err error) {
	cwd, err := os.Getwd()
	if err != nil {
		return "", err
	}
	root := nearest(cwd)
	if root == "" {
		root = cwd
	}
	file = filepath.Join(root, workspace.ConfigFile)
	text, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	changed := insertGroups(string(text), groups)
	if err := renameio.WriteFile(file, []byte(changed), 0o666); err != nil {
		return "", err
	}
	if _, err := workspace.ReadConfig(root); err != nil { // it was written in a way that this does not know
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
