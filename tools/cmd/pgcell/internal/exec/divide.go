package exec

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/pgcell/pgcell/tools/internal/gohook"
	"github.com/pgcell/pgcell/tools/internal/history"
	"github.com/pgcell/pgcell/tools/internal/split"
	"github.com/pgcell/pgcell/tools/internal/workspace"
)

// divide reads the flags that divide test binaries of go test, or the files of --split among processes of a command. given
// says that the command line has --split.
func (o *options) divide(getenv func(string) string, command []string, given bool) error {
	d := &gohook.Divide{Each: o.isolate == "test", Diagnose: o.diagnose, Suites: o.suites}
	if o.shards != "" && o.shards != "auto" {
		n, err := strconv.Atoi(o.shards)
		if err != nil || n < 1 {
			return usage("--shards %s: want a number from 1, or auto", o.shards)
		}
		d.Shards = n
	}
	if cache, err := history.CacheDir(getenv); err == nil { // without one, no times are recorded
		d.Times = filepath.Join(cache, "pgcell", "times")
	}
	if len(o.split) > 0 && (given || split.HasPlace(command)) {
		return o.splitFiles(split.Config{Command: command, Shards: d.Shards, Times: d.Times})
	}
	for _, group := range o.groups {
		d.Groups = append(d.Groups, strings.Split(group, ","))
	}
	if o.shards == "" && !d.Each {
		if o.diagnose {
			return usage("--diagnose runs tests again that --shards or --isolate test made fail: give one of them")
		}
		return nil
	}
	o.divided = d
	return nil
}

// splitFiles reads --split. In .pgcell.toml it is for commands that have a place for files alone.
func (o *options) splitFiles(c split.Config) (err error) {
	if !split.HasPlace(c.Command) {
		return usage("--split: %w", split.ErrNoPlace)
	}
	if c.Files, err = split.Files(o.split); err != nil {
		return usage("--split: %w", err)
	}
	c.Again = split.Again(os.Args[1:])
	o.splits = &c
	return nil
}

// keepGroups writes groups that a diagnosis found into .pgcell.toml.
func (s *session) keepGroups() {
	found := slices.DeleteFunc(gohook.Groups(s.dir.Path()), func(g string) bool { return slices.Contains(s.o.groups, g) })
	if len(found) == 0 {
		return
	}
	file, err := keep(slices.Compact(slices.Sorted(slices.Values(found))))
	if err != nil {
		fmt.Fprintf(s.p.Stderr, "pgcell: keep groups of tests: %v; add to .pgcell.toml below [exec]: group = %q\n", err, found)
		return
	}
	fmt.Fprintf(s.p.Stderr, "pgcell: tests that depend on others are now groups in %s\n", file)
}

// keep adds groups to the nearest .pgcell.toml, or makes one in the current directory.
func keep(groups []string) (file string, err error) {
	cwd, err := os.Getwd()
	if err != nil {
		return "", err
	}
	return workspace.AddGroups(cmp.Or(nearest(cwd), cwd), groups)
}
