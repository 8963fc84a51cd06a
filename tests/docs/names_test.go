package docs_test

import (
	"cmp"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// codeFiles lists files below tools/ by extension, from the root of the tree.
func codeFiles(t *testing.T, extensions ...string) []string {
	t.Helper()
	tree := mustTree(t)
	var files []string
	err := filepath.WalkDir(filepath.Join(tree, "tools"), func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() && slices.Contains(extensions, filepath.Ext(path)) {
			path, err = filepath.Rel(tree, path)
			files = append(files, filepath.ToSlash(path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

var variable = regexp.MustCompile(`\bPGCELL_[A-Z_]+\b`)

// variablesOf gives the PGCELL_ variables in a text.
func variablesOf(text string) map[string]bool {
	all := map[string]bool{}
	for _, name := range variable.FindAllString(text, -1) {
		all[name] = true
	}
	return all
}

// What docs name is in code, and docs/variables.md has each variable of the library, the rules and the command.
func TestVariables(t *testing.T) {
	t.Parallel()
	tree := mustTree(t)
	named := variablesOf(mustRead(t, tree, "docs", "variables.md"))
	code := map[string]bool{}
	for _, file := range codeFiles(t, ".go", ".bzl", ".sh", "") {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		for name := range variablesOf(mustRead(t, tree, file)) {
			code[name] = true
			product := strings.HasPrefix(file, "tools/pgcell/") || strings.HasPrefix(file, "tools/internal/") ||
				strings.HasPrefix(file, "tools/cmd/") || strings.HasPrefix(file, "tools/rules/")
			if product && !named[name] {
				t.Errorf("%s has the variable %s, which is not in docs/variables.md", file, name)
			}
		}
	}
	for _, p := range mustPages(t) {
		for name := range variablesOf(mustRead(t, tree, p.path)) {
			if !code[name] {
				t.Errorf("%s names the variable %s, which no code has", p.path, name)
			}
		}
	}
}

// mustCommand builds the command.
func mustCommand(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "pgcell")
	build := goIn(mustTree(t), "build", "-mod=readonly", "-o", binary, "./tools/cmd/pgcell")
	if output, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build the command: %v\n%s", err, output)
	}
	return binary
}

// help is what --help of the command and of its subcommands says, by subcommand; "" is the command itself.
func help(t *testing.T) map[string]string {
	t.Helper()
	binary := mustCommand(t)
	all := map[string]string{}
	listed := regexp.MustCompile(`(?m)^  ([a-z-]+)  `)
	var ask func(words []string)
	ask = func(words []string) {
		output, err := exec.Command(binary, append(slices.Clone(words), "--help")...).CombinedOutput()
		if err != nil {
			t.Fatalf("pgcell %v --help: %v\n%s", words, err, output)
		}
		text := string(output)
		all[strings.Join(words, " ")] = text
		_, commands, _ := strings.Cut(text, "Available Commands:\n")
		commands, _, _ = strings.Cut(commands, "\nFlags:")
		for _, match := range listed.FindAllStringSubmatch(commands, -1) {
			if match[1] != "help" {
				ask(append(slices.Clone(words), match[1]))
			}
		}
	}
	ask(nil)
	return all
}

var (
	flagName   = regexp.MustCompile(`(?:^|[\s\x60(\[])(--[a-z][a-z-]*)`)
	flagInText = regexp.MustCompile(`(?:^|[\s\[])(--[a-z][a-z_-]+)`)
	// A call of the command by one of its names, with its arguments as far as the line goes.
	called = regexp.MustCompile(
		`(?:^|[\s(])(?:pgcell|(\./run_tests\.sh)|(?:tools/)?bazel run @?(?:pgcell)?//tools/cmd/pgcell --)(?:$| ([^\n#|>)"]*))`)
	// A label of pgcell's, as users write it, with its package and its target.
	label = regexp.MustCompile(`@pgcell//([\w/]+)(?::([\w.]+))?`)
)

// otherFlags are those that docs name of other programs.
var otherFlags = strings.Fields(`
	--cap-add --clean --config --create --curses --disk_cache --execution_log_binary_file
	--experimental_circuit_breaker_strategy --experimental_remote_cache_async
	--experimental_remote_failure_rate_threshold
	--experimental_disk_cache_gc_max_size --experimental_remote_cache_eviction_retries
	--extra_execution_platforms --host_platform --incompatible_strict_action_env --inserts --jobs --keep_going
	--local_resources --local_test_jobs --no-daemon --nocache_test_results --nozip_undeclared_test_outputs
	--output_base --parallel --platforms --pool --redo --remote_cache --remote_default_exec_properties
	--remote_download_outputs --remote_executor --remote_local_fallback --remote_retries --remote_timeout
	--remote_upload_local_results --remove --run --run_under --runs_per_test --sandbox_add_mount_pair
	--security-opt --shm-size --spawn_strategy --strategy --test_env --test_filter --test_output
	--test_sharding_strategy --test_tag_filters
`)

// wrongCall says what is wrong with the calls of the command in a line: a subcommand that is not there, or a flag that
// this one has not. "" is nothing. helps is what help gives.
func wrongCall(helps map[string]string, line string) string {
	for _, match := range called.FindAllStringSubmatch(line, -1) {
		words := strings.Fields(match[2])
		if len(words) == 0 {
			continue
		}
		_, is := helps[words[0]]
		switch {
		case is:
		case match[1] != "": // run_tests.sh, whose default is run
			words = append([]string{"run"}, words...)
		case regexp.MustCompile(`^[a-z][a-z-]*$`).MatchString(words[0]) && !slices.Contains([]string{"help", "cleaner"}, words[0]):
			return "pgcell has no subcommand " + words[0] // "pgcell cleaner" is the name of sessions
		default:
			continue
		}
		name := words[0]
		if len(words) > 1 && helps[name+" "+words[1]] != "" {
			name += " " + words[1]
		}
		for _, word := range words[1:] {
			flag, _, _ := strings.Cut(word, "=")
			if flag == "--" {
				break // what follows goes to Bazel
			}
			if strings.HasPrefix(flag, "--") && !slices.ContainsFunc(flagName.FindAllStringSubmatch(helps[name], -1),
				func(m []string) bool { return m[1] == flag }) {
				return "pgcell " + name + " has no flag " + flag
			}
		}
	}
	return ""
}

func TestWrongCall(t *testing.T) {
	t.Parallel()
	helps := map[string]string{"": "", "run": "  --lf  x\n", "timings": "", "timings show": "  --sum  x\n"}
	for line, want := range map[string]string{
		"pgcell run --lf -- --config=ci":                         "",
		"$ pgcell timings show --sum":                            "",
		"pgcell: kept cell x":                                    "",
		"a session of pgcell cleaner --x":                        "",
		"./run_tests.sh --lf":                                    "",
		"./run_tests.sh --sum":                                   "pgcell run has no flag --sum",
		"pgcell timings show --lf":                               "pgcell timings show has no flag --lf",
		"x=$(bazel run @pgcell//tools/cmd/pgcell -- timigns)":    "pgcell has no subcommand timigns",
		"tools/bazel run //tools/cmd/pgcell -- timings show --z": "pgcell timings show has no flag --z",
	} {
		if got := wrongCall(helps, line); got != want {
			t.Errorf("wrongCall(%q) = %q, want %q", line, got, want)
		}
	}
}

// Each flag in a code span or a block is one of the command, or among otherFlags; and so is each subcommand. A label of
// pgcell's leads to a target.
func TestFlagsAndSubcommands(t *testing.T) {
	t.Parallel()
	known, helps, tree := map[string]bool{}, help(t), mustTree(t)
	for _, text := range helps {
		for _, match := range flagName.FindAllStringSubmatch(text, -1) {
			known[match[1]] = true
		}
	}
	for _, name := range otherFlags {
		known[name] = true
	}
	for _, p := range mustPages(t) {
		for _, match := range label.FindAllStringSubmatch(mustRead(t, tree, p.path), -1) {
			name := cmp.Or(match[2], path.Base(match[1]))
			_, err := os.Stat(filepath.Join(tree, match[1], name))
			text, _ := os.ReadFile(filepath.Join(tree, match[1], "BUILD.bazel")) // a package that is not there has none
			if err != nil && !strings.Contains(string(text), "name = \""+name+"\"") {
				t.Errorf("%s names %s, which is no target or file", p.path, match[0])
			}
		}
		var code []string
		for _, span := range codeSpan.FindAllString(p.prose, -1) {
			code = append(code, strings.Trim(span, "`"))
		}
		for _, b := range p.blocks {
			if b.language != "go" && b.language != "starlark" && b.language != "sql" {
				code = append(code, strings.Split(b.text, "\n")...)
			}
		}
		for _, text := range code {
			for _, match := range flagInText.FindAllStringSubmatch(text, -1) {
				if !known[match[1]] {
					t.Errorf("%s names the flag %s in %q, which is none of pgcell's nor among otherFlags", p.path, match[1], text)
				}
			}
			if wrong := wrongCall(helps, text); wrong != "" {
				t.Errorf("%s names %q: %s", p.path, text, wrong)
			}
		}
	}
}

// run_tests.sh hands on each subcommand but run, which is its default, and those that cobra adds.
func TestForwardedSubcommands(t *testing.T) {
	t.Parallel()
	script := mustRead(t, mustTree(t), "run_tests.sh")
	_, cases, _ := strings.Cut(script, "\ncase ${1-} in\n")
	var got, want []string
	for _, match := range regexp.MustCompile(`(?m)^  ([a-z| -]+)\)`).FindAllStringSubmatch(cases, -1) {
		got = append(got, strings.Split(match[1], " | ")...)
	}
	for words := range help(t) {
		if words != "" && !strings.Contains(words, " ") && !slices.Contains([]string{"completion", "run", "version"}, words) {
			want = append(want, words)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("run_tests.sh hands on (-pgcell --help +run_tests.sh):\n%s", diff)
	}
}

// The table of checks in CONTRIBUTING.md has each test of tests/checks, and no other.
func TestChecks(t *testing.T) {
	t.Parallel()
	tree := mustTree(t)
	_, section, _ := strings.Cut(mustRead(t, tree, "CONTRIBUTING.md"), "\n## Checks\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var got, want []string
	for _, match := range regexp.MustCompile(`(?m)^\|([^|]*)\|`).FindAllStringSubmatch(section, -1) {
		got = append(got, regexp.MustCompile(`Test\w+`).FindAllString(match[1], -1)...)
	}
	files, err := filepath.Glob(filepath.Join(tree, "tests", "checks", "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		for _, match := range regexp.MustCompile(`(?m)^func (Test\w+)\(t `).FindAllStringSubmatch(mustRead(t, file), -1) {
			want = append(want, match[1])
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("the table of checks in CONTRIBUTING.md (-tests/checks +table):\n%s", diff)
	}
}

// The table of folders in CONTRIBUTING.md has every folder of the tree's upper floors, and none that is not there.
func TestFolders(t *testing.T) {
	t.Parallel()
	tree := mustTree(t)
	_, section, _ := strings.Cut(mustRead(t, tree, "CONTRIBUTING.md"), "\n## Where things are\n")
	section, _, _ = strings.Cut(section, "\n## ")
	var got []string
	for line := range strings.Lines(section) {
		if cells := strings.Split(line, "|"); len(cells) > 2 {
			for _, match := range regexp.MustCompile("`((?:tools|tests)/[^`]*)`").FindAllStringSubmatch(cells[1], -1) {
				got = append(got, match[1])
			}
		}
	}
	var want []string
	for _, parent := range []string{"tools", "tools/internal", "tests"} {
		entries, err := os.ReadDir(filepath.Join(tree, parent))
		if err != nil {
			t.Fatal(err)
		}
		for _, entry := range entries {
			name := parent + "/" + entry.Name()
			switch {
			case name == "tools/internal", name == "tools/cmd": // have rows for what is in them
			case name == "tools/bazel", entry.IsDir():
				want = append(want, name)
			}
		}
	}
	want = append(want, "tools/cmd/pgcell")
	slices.Sort(got)
	slices.Sort(want)
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("the table of folders in CONTRIBUTING.md (-tree +table):\n%s", diff)
	}
}
