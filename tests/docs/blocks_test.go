package docs_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/bazelbuild/buildtools/build"

	"github.com/pgcell/pgcell/tests/internal/source"
)

const modulePath = "github.com/pgcell/pgcell"

// importOf is what a block without imports may use.
var importOf = map[string]string{
	"context": "context",
	"embed":   "embed",
	"fmt":     "fmt",
	"goose":   "github.com/pressly/goose/v3",
	"os":      "os",
	"pgcell":  modulePath + "/tools/pgcell",
	"pgxpool": "github.com/jackc/pgx/v5/pgxpool",
	"sql":     "database/sql",
	"testing": "testing",
}

// mustComplete makes a Go file of a block, which may leave out the package clause and the imports, and lists what it
// imports. Errors in it are at the lines of the page.
func mustComplete(t *testing.T, b block) (file string, imports []string) {
	t.Helper()
	line := fmt.Sprintf("//line %s:%d\n", b.page, b.line)
	if strings.HasPrefix(b.text, "package ") || strings.Contains(b.text, "\npackage ") {
		parsed := mustParse(t, b, line+b.text)
		for _, spec := range parsed.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			imports = append(imports, path)
		}
		return line + b.text, imports
	}
	// An unresolved name in front of a dot is that of a package.
	used := map[string]bool{}
	for _, name := range mustParse(t, b, "package docs_test\n"+line+b.text).Unresolved {
		if path := importOf[name.Name]; path != "" {
			used[path] = true
		}
	}
	imports = slices.Sorted(maps.Keys(used))
	file = "package docs_test\n"
	for _, path := range imports {
		file += "import " + strconv.Quote(path) + "\n"
	}
	return file + line + b.text, imports
}

func mustParse(t *testing.T, b block, text string) *ast.File {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "", text, 0)
	if err != nil {
		t.Fatalf("a Go block, at %s:%d: %v", b.page, b.line, err)
	}
	return file
}

// isLibrary reports whether only the module in libraries/ has a package.
func isLibrary(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return strings.Contains(first, ".") && !strings.HasPrefix(path, modulePath) &&
		!strings.HasPrefix(path, "github.com/jackc/pgx/v5")
}

// TestGoBlocksCompile writes each Go block into a package of its own and has go vet look at it.
func TestGoBlocksCompile(t *testing.T) {
	t.Parallel()
	tree := mustTree(t)
	plain := mustModule(t, tree, ".")
	libraries := mustModule(t, tree, "tests/docs/libraries")
	count := map[string]int{}
	for _, p := range mustPages(t) {
		for i, b := range p.blocks {
			if b.language != "go" {
				continue
			}
			text, imports := mustComplete(t, b)
			module := plain
			if slices.ContainsFunc(imports, isLibrary) {
				module = libraries
			}
			count[module]++
			name := strings.NewReplacer("/", "_", ".", "_").Replace(p.path)
			dir := filepath.Join(module, fmt.Sprintf("%s_%d", name, i))
			mustWrite(t, filepath.Join(dir, "block_test.go"), text)
			mustWrite(t, filepath.Join(dir, "migrations", "1_users.sql"), "CREATE TABLE users (name text);\n")
		}
	}
	if count[plain] < 5 || count[libraries] < 3 {
		t.Errorf("%d blocks are compiled without libraries, %d with, want 5 and 3 or more", count[plain], count[libraries])
	}
	t.Run("plain", func(t *testing.T) {
		t.Parallel()
		vet(t, plain)
	})
	t.Run("libraries", func(t *testing.T) {
		t.Parallel()
		if output, err := goIn(libraries, "mod", "download").CombinedOutput(); err != nil {
			t.Skipf("blocks that import libraries are not compiled: %v\n%s", err, output)
		}
		vet(t, libraries)
	})
}

// mustModule makes a module that requires what the one in a directory of the tree does, and pgcell from the tree.
func mustModule(t *testing.T, tree, from string) string {
	t.Helper()
	dir := t.TempDir()
	text := mustRead(t, tree, from, "go.mod")
	_, rest, _ := strings.Cut(text, "\n")
	var lines strings.Builder
	for line := range strings.Lines(rest) {
		if !strings.HasPrefix(line, "replace ") && !strings.HasPrefix(line, "\t"+modulePath+" ") {
			lines.WriteString(line)
		}
	}
	mustWrite(t, filepath.Join(dir, "go.mod"), fmt.Sprintf(
		"module example.com/docs\n%s\nrequire %s v0.0.0\n\nreplace %[2]s => %s\n",
		lines.String(), modulePath, tree))
	mustWrite(t, filepath.Join(dir, "go.sum"), mustRead(t, tree, from, "go.sum"))
	return dir
}

func mustWrite(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}

func goIn(dir string, args ...string) *exec.Cmd {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(source.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=mod", "GOWORK=off")
	return cmd
}

func vet(t *testing.T, module string) {
	t.Helper()
	if output, err := goIn(module, "vet", "./...").CombinedOutput(); err != nil {
		t.Errorf("go vet of the Go blocks: %v\n%s", err, output)
	}
}

// ofGoTest are attributes of rules_go's go_test, which pg_go_test hands on.
const ofGoTest = "args deps embed embedsrcs flaky rundir size srcs timeout visibility"

// TestStarlarkBlocksParse parses Starlark blocks, and compares what they give to pgcell's rules with their attributes, and
// what they load from pgcell with its files.
func TestStarlarkBlocksParse(t *testing.T) {
	t.Parallel()
	known := map[string]map[string]bool{"pg_template": {}, "pg_go_test": {}}
	for _, name := range []string{"name", "tags", "testonly", "visibility"} {
		known["pg_template"][name] = true
	}
	for _, a := range ruleAttributes(t, templateFile, "_ATTRS") {
		known["pg_template"][a.name] = true
	}
	for _, a := range macroArguments(t, testFile, "pg_go_test") {
		known["pg_go_test"][a.name] = true
	}
	for _, name := range strings.Fields(ofGoTest) {
		known["pg_go_test"][name] = true
	}
	count := 0
	for _, p := range mustPages(t) {
		for _, b := range p.blocks {
			if b.language != "starlark" {
				continue
			}
			count++
			file, err := build.ParseDefault("", []byte(b.text))
			if err != nil {
				t.Errorf("a Starlark block, at %s:%d: %v", b.page, b.line, err)
				continue
			}
			for kind, attributes := range known {
				for _, rule := range file.Rules(kind) {
					for _, key := range rule.AttrKeys() {
						if !attributes[key] {
							t.Errorf("a block, at %s:%d: %s has no attribute %q", b.page, b.line, kind, key)
						}
					}
				}
			}
			for _, statement := range file.Stmt {
				if load, ok := statement.(*build.LoadStmt); ok {
					ensureLoads(t, b, load)
				}
			}
		}
	}
	if count < 5 {
		t.Errorf("%d Starlark blocks are parsed, want 5 or more", count)
	}
}

// ensureLoads asserts that a block loads what a file of pgcell's has. Of other modules nothing is known here.
func ensureLoads(t *testing.T, b block, load *build.LoadStmt) {
	t.Helper()
	label, ok := strings.CutPrefix(load.Module.Value, "@pgcell//")
	if !ok {
		return
	}
	path := strings.Replace(label, ":", "/", 1)
	if _, err := os.Stat(filepath.Join(mustTree(t), path)); err != nil {
		t.Errorf("a block, at %s:%d, loads %s: %v", b.page, b.line, load.Module.Value, err)
		return
	}
	defined := map[string]bool{}
	for _, statement := range mustParseBzl(t, path).Stmt {
		switch statement := statement.(type) {
		case *build.AssignExpr:
			if left, ok := statement.LHS.(*build.Ident); ok {
				defined[left.Name] = true
			}
		case *build.DefStmt:
			defined[statement.Name] = true
		}
	}
	for _, symbol := range load.From {
		if !defined[symbol.Name] {
			t.Errorf("a block, at %s:%d: %s has no %s", b.page, b.line, load.Module.Value, symbol.Name)
		}
	}
}

// TestConfigBlocks has the command read TOML blocks, as its configuration file, and parses JSON blocks.
func TestConfigBlocks(t *testing.T) {
	t.Parallel()
	count := 0
	for _, p := range mustPages(t) {
		for _, b := range p.blocks {
			switch b.language {
			case "json":
				if !json.Valid([]byte(b.text)) {
					t.Errorf("a block, at %s:%d, is no JSON", b.page, b.line)
				}
			case "toml":
				count++
				dir := t.TempDir()
				mustWrite(t, filepath.Join(dir, ".pgcell.toml"), b.text)
				mustWrite(t, filepath.Join(dir, "MODULE.bazel"), "")
				cmd := exec.Command(mustCommand(t), "run", "//...")
				// No Bazel: the command reads its configuration first.
				cmd.Dir, cmd.Env = dir, append(source.Environ(), "PGCELL_BAZEL=/nonexistent/bazel")
				output, _ := cmd.CombinedOutput()
				if !strings.Contains(string(output), "PGCELL_BAZEL: ") {
					t.Errorf("a block, at %s:%d: pgcell run says %q, want it to go on to Bazel", b.page, b.line, output)
				}
			}
		}
	}
	if count == 0 {
		t.Error("no TOML block is read, want one or more")
	}
}

// TestYAMLBlocks has actionlint judge GitHub's workflows, and steps of one; other YAML blocks have to parse.
func TestYAMLBlocks(t *testing.T) {
	t.Parallel()
	tools := filepath.Join(mustTree(t), "tests", "checks", "tools")
	actionlint := filepath.Join(t.TempDir(), "actionlint")
	fetch := goIn(tools, "build", "-mod=readonly", "-o", actionlint, "github.com/rhysd/actionlint/cmd/actionlint")
	if output, err := fetch.CombinedOutput(); err != nil {
		t.Skipf("YAML blocks are not checked: build actionlint: %v\n%s", err, output)
	}
	workflows := 0
	for _, p := range mustPages(t) {
		for _, b := range p.blocks {
			if b.language != "yaml" {
				continue
			}
			if strings.HasPrefix(strings.TrimSpace(b.text), "- uses:") {
				b.text = "on: push\njobs:\n  job:\n    runs-on: ubuntu-latest\n    steps:\n" + b.text
			}
			cmd := exec.Command(actionlint, "-shellcheck=", "-pyflakes=", "-oneline", "-stdin-filename="+b.page, "-")
			cmd.Stdin = strings.NewReader(b.text)
			output, err := cmd.CombinedOutput()
			whole := strings.HasPrefix(b.text, "name:") || strings.HasPrefix(b.text, "on:")
			if whole {
				workflows++
			}
			if err != nil && (whole || strings.Contains(string(output), "could not parse as YAML")) {
				t.Errorf("a YAML block, at %s:%d: actionlint: %v\n%s", b.page, b.line, err, output)
			}
		}
	}
	if workflows < 3 {
		t.Errorf("%d workflows are judged, want 3 or more", workflows)
	}
}
