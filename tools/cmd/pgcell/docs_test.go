package main

// Not an external package: the table of flags is the command's own.

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pgcell/pgcell/tools/cmd/pgcell/internal/exec"
	"github.com/pgcell/pgcell/tools/internal/process"
)

// generatedTo ends each part of a page that is generated; generatedFrom begins it.
const generatedTo = "<!-- end of generated part -->"

func generatedFrom(source string) string {
	return "<!-- generated from " + source + ": go test ./tools/cmd/pgcell -run TestDocs -update -->\n"
}

// flagTables gives the table of flags as Markdown, a table a group.
func flagTables() string {
	var b strings.Builder
	for _, group := range []string{
		groupWhich, groupParallel, groupAgain, groupShow, groupFiles, groupDatabase, groupBazel,
	} {
		fmt.Fprintf(&b, "### %s\n\n| flag | meaning |\n|---|---|\n", group)
		for _, spec := range runFlags {
			if spec.group != group {
				continue
			}
			name := "--" + spec.name
			if spec.short != "" {
				name = "-" + spec.short + ", " + name
			}
			if spec.value != "" {
				name += " " + spec.value
			}
			text := strings.ReplaceAll(spec.usage, "\n", " ")
			if spec.preset != "" {
				text += " (default " + spec.preset + ")"
			}
			text = strings.ToUpper(text[:1]) + text[1:] + "."
			if spec.more != "" {
				text += " " + spec.more
			}
			fmt.Fprintf(&b, "| `%s` | %s |\n", name, strings.ReplaceAll(text, "|", `\|`))
		}
		b.WriteString("\n")
	}
	return b.String()
}

// The flags and the exit codes in docs are those of the command. Not parallel: with -update both write it.
func TestDocsHaveTheTables(t *testing.T) {
	for source, want := range map[string]string{
		"tools/cmd/pgcell/flags.go":  flagTables(),
		"tools/internal/cli/exit.go": "| code | meaning |\n|---|---|\n" + exitCodes("| %d | %s |\n") + "\n",
	} {
		ensureGenerated(t, "running.md", source, want)
	}
	ensureGenerated(t, "exec.md", "tools/cmd/pgcell/internal/exec/flags.go", execTable())
	ensureGenerated(t, "exec.md", "tools/internal/process/workers.go", runnerTable())
}

// execTable gives the flags of "pgcell exec" as Markdown.
func execTable() string {
	var b strings.Builder
	b.WriteString("| flag | in `.pgcell.toml` | meaning |\n|---|---|---|\n")
	for _, flag := range exec.Flags {
		text := strings.ReplaceAll(flag.Usage, "\n", " ")
		text = strings.ReplaceAll(strings.ToUpper(text[:1])+text[1:]+". "+flag.More, "|", `\|`)
		fmt.Fprintf(&b, "| `%s` | `%s` | %s |\n", strings.TrimSpace("--"+flag.Name+" "+flag.Value),
			strings.ReplaceAll(flag.Name, "-", "_"), strings.TrimSpace(text))
	}
	return b.String() + "\n"
}

// runnerTable gives the runners that pgcell knows as Markdown.
func runnerTable() string {
	var b strings.Builder
	b.WriteString("| runner | how its workers are recognised |\n|---|---|\n")
	for _, r := range process.Runners {
		sign := "by `" + r.Variable + "` in the environment with which they were started"
		if r.Command != nil {
			sign = "by their command lines"
		}
		if r.Command != nil && r.Variable != "" {
			sign += ", or by `" + r.Variable + "` in their environment"
		}
		fmt.Fprintf(&b, "| %s | %s |\n", r.Name, sign)
	}
	return b.String() + "\n"
}

// ensureGenerated compares the part of a page that is generated from a source, and writes it with -update.
func ensureGenerated(t *testing.T, page, source, want string) {
	t.Helper()
	path := filepath.Join("..", "..", "..", "docs", page)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	from := generatedFrom(source)
	before, rest, found := strings.Cut(string(text), from)
	got, after, ended := strings.Cut(rest, generatedTo)
	if !found || !ended {
		t.Fatalf("%s has no generated part: it begins with %q", path, from)
	}
	if *update {
		if err := os.WriteFile(path, []byte(before+from+want+generatedTo+after), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got != want {
		t.Errorf("%s does not say what %s does; bring it up to date with -update", path, source)
	}
}

// Each flag has at least one script that uses it.
func TestEachFlagHasAScript(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob(filepath.Join("testdata", "script", "*.txtar"))
	if err != nil || len(scripts) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	var all, allOfExec strings.Builder
	for _, script := range scripts {
		text, err := os.ReadFile(script)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, "pgcell run ") && !strings.HasPrefix(line, "stderr") {
				all.WriteString(line)
			}
			if strings.Contains(line, "pgcell exec ") && !strings.HasPrefix(line, "stderr") && !strings.HasPrefix(line, "  ") {
				allOfExec.WriteString(line)
			}
		}
	}
	for _, spec := range runFlags {
		if !strings.Contains(all.String(), "--"+spec.name) && (spec.short == "" || !strings.Contains(all.String(),
			" -"+spec.short)) {
			t.Errorf("no script uses --%s", spec.name)
		}
	}
	for _, flag := range exec.Flags {
		if !strings.Contains(allOfExec.String(), " --"+flag.Name+" ") {
			t.Errorf("no script uses pgcell exec --%s", flag.Name)
		}
	}
}
