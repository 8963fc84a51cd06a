package exec

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/pgcell/pgcell/tools/internal/cli"
	"github.com/pgcell/pgcell/tools/internal/gohook"
	"github.com/pgcell/pgcell/tools/internal/lend"
	"github.com/pgcell/pgcell/tools/internal/netns"
	"github.com/pgcell/pgcell/tools/internal/process"
	"github.com/pgcell/pgcell/tools/internal/split"
	"github.com/pgcell/pgcell/tools/internal/workspace"
)

// options are the flags, first as they were written, then as configure understood them.
type options struct {
	migrations, migrate, template, locale string
	postgres, user, database, envFile     string
	migrateInputs, extensions, roles      []string
	settings, env, files, worker          []string
	at, forward, groups, split            []string
	shards, isolate                       string
	superuser, createdb, diagnose, suites bool
	server, serverFrom                    string

	parameters map[string]string // of settings
	variables  []lend.Variable   // of envFile and env
	runners    []process.Runner  // of worker, and those that pgcell knows
	places     []netns.Place     // of at
	forwards   []netns.Address   // of forward
	divided    *gohook.Divide    // of shards, isolate, groups and diagnose
	splits     *split.Config     // of split and shards
}

// configure adds what .pgcell.toml says to the command line, and reads the values.
func (o *options) configure(p *cli.Process, f *pflag.FlagSet, command []string) error {
	given := len(o.split) > 0
	err := o.fromFile(p, f)
	if err != nil {
		return err
	}
	if o.template != "" {
		for _, flag := range []string{
			"migrations", "migrate", "migrate-inputs", "extensions", "roles", "locale", "superuser", "createdb",
		} {
			if f.Changed(flag) {
				return usage("--template %s holds all that --%s would say: leave one of them out", o.template, flag)
			}
		}
	}
	if o.migrate == "" && len(o.migrateInputs) > 0 {
		return usage("--migrate-inputs names what --migrate reads, which is not given")
	}
	o.parameters = map[string]string{}
	for _, s := range o.settings {
		name, value, ok := strings.Cut(s, "=")
		if !ok || name == "" {
			return usage("--settings %s: want NAME=VALUE", s)
		}
		o.parameters[name] = value
	}
	for _, text := range o.worker {
		re, err := regexp.Compile(text)
		if err != nil {
			return usage("--worker %s: %w", text, err)
		}
		o.runners = append(o.runners, process.Runner{Name: "--worker " + text, Command: re})
	}
	o.runners = append(o.runners, process.Runners...)
	if err := o.readServer(p.Getenv("PGCELL_SERVER"), f); err != nil {
		return err
	}
	if err := o.readPlaces(); err != nil {
		return err
	}
	if err := o.readIsolation(); err != nil {
		return err
	}
	if err := o.divide(p.Getenv, command, given); err != nil {
		return err
	}
	return o.readVariables()
}

func (o *options) readVariables() error {
	var lines []string
	if o.envFile != "" {
		f, err := os.Open(o.envFile)
		if err != nil {
			return usage("--env-file: %w", err)
		}
		defer f.Close()
		scanner := bufio.NewScanner(f)
		for scanner.Scan() {
			if line := strings.TrimSpace(scanner.Text()); line != "" && line[0] != '#' {
				lines = append(lines, line)
			}
		}
		if err := scanner.Err(); err != nil {
			return usage("--env-file %s: %w", o.envFile, err)
		}
	}
	for i, line := range append(slices.Clone(lines), o.env...) {
		name, value, ok := strings.Cut(line, "=")
		if !ok || name == "" {
			flag := "--env"
			if i < len(lines) {
				flag = "--env-file " + o.envFile + ":"
			}
			return usage("%s %s: want NAME=TEXT", flag, line)
		}
		o.variables = append(o.variables, lend.Variable{Name: name, Value: value})
	}
	return nil
}

// fromFile sets flags from the nearest .pgcell.toml, unless the command line has them; lists are added up.
func (o *options) fromFile(p *cli.Process, f *pflag.FlagSet) error {
	cwd, err := os.Getwd()
	if err != nil {
		return broken("find the working directory: %w", err)
	}
	root := nearest(cwd)
	if root == "" {
		return nil
	}
	config, err := workspace.ReadConfig(root)
	if err != nil {
		return &cli.Error{Code: cli.WrongUsage, Err: err}
	}
	for key, value := range config.Exec {
		i := slices.IndexFunc(Flags, func(flag Flag) bool { return flag.Name == strings.ReplaceAll(key, "_", "-") })
		if i < 0 {
			return usage("%s: unknown key %q below [exec]: want the name of a flag, see pgcell exec --help", workspace.ConfigFile, key)
		}
		if err := o.set(Flags[i], value, f, root); err != nil {
			return usage("%s: %s = %v: %w", workspace.ConfigFile, key, value, err)
		}
	}
	return nil
}

// nearest gives the innermost directory, from cwd on upwards, that has a .pgcell.toml; none above a repository's root.
func nearest(cwd string) string {
	for dir := cwd; ; dir = filepath.Dir(dir) {
		if workspace.Exists(dir, workspace.ConfigFile) {
			return dir
		}
		if _, err := os.Stat(filepath.Join(dir, ".git")); err == nil || dir == filepath.Dir(dir) {
			return ""
		}
	}
}

// set gives a flag the value that stands in the file.
func (o *options) set(flag Flag, value any, f *pflag.FlagSet, root string) error {
	given := f.Changed(flag.Name)
	switch to := flag.to(o).(type) {
	case *bool:
		on, ok := value.(bool)
		if !ok {
			return fmt.Errorf("want true or false")
		}
		if !given {
			*to = on
		}
	case *string:
		if n, number := value.(int64); number && flag.Name == "shards" {
			value = strconv.FormatInt(n, 10)
		}
		s, ok := value.(string)
		if !ok {
			return fmt.Errorf("want a string")
		}
		if !given {
			*to = flag.place(root, s)
		}
	case *[]string:
		words, err := stringsOf(value)
		if err != nil {
			return err
		}
		for i := range words {
			words[i] = flag.place(root, words[i])
		}
		*to = append(words, *to...)
	}
	f.Lookup(flag.Name).Changed = true
	return nil
}

// place makes a path relative to the file's directory one that holds everywhere.
func (flag Flag) place(root, value string) string {
	if !flag.path || filepath.IsAbs(value) {
		return value
	}
	if flag.Name == "file" {
		out, from, _ := strings.Cut(value, "=")
		return filepath.Join(root, out) + "=" + filepath.Join(root, from)
	}
	return filepath.Join(root, value)
}

func stringsOf(value any) ([]string, error) {
	switch value := value.(type) {
	case string:
		return []string{value}, nil
	case map[string]any: // settings = {wal_level = "logical"}
		var words []string
		for name, v := range value {
			words = append(words, fmt.Sprintf("%s=%v", name, v))
		}
		slices.Sort(words)
		return words, nil
	case []any:
		var words []string
		for _, v := range value {
			word, ok := v.(string)
			if !ok {
				return nil, fmt.Errorf("want strings")
			}
			words = append(words, word)
		}
		return words, nil
	}
	return nil, fmt.Errorf("want a string, a list of strings or a table")
}
