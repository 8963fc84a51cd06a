package docs_test

import (
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

// TestStarlarkBlocksParse parses Starlark blocks, and compares what they give to pg_template with its attributes.
func TestStarlarkBlocksParse(t *testing.T) {
	t.Parallel()
	attributes := map[string]bool{"name": true, "tags": true, "testonly": true, "visibility": true}
	for _, a := range ruleAttributes(t, templateFile, "_ATTRS") {
		attributes[a.name] = true
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
			for _, rule := range file.Rules("pg_template") {
				for _, key := range rule.AttrKeys() {
					if !attributes[key] {
						t.Errorf("a block, at %s:%d: pg_template has no attribute %q", b.page, b.line, key)
					}
				}
			}
		}
	}
	if count < 5 {
		t.Errorf("%d Starlark blocks are parsed, want 5 or more", count)
	}
}

// TestYAMLBlocks has actionlint judge GitHub's workflows; other YAML blocks have to parse.
func TestYAMLBlocks(t *testing.T) {
	t.Parallel()
	tools := filepath.Join(mustTree(t), "tests", "checks", "tools")
	actionlint := filepath.Join(t.TempDir(), "actionlint")
	fetch := goIn(tools, "build", "-mod=readonly", "-o", actionlint, "github.com/rhysd/actionlint/cmd/actionlint")
	if output, err := fetch.CombinedOutput(); err != nil {
		t.Skipf("YAML blocks are not checked: build actionlint: %v\n%s", err, output)
	}
	for _, p := range mustPages(t) {
		for _, b := range p.blocks {
			if b.language != "yaml" {
				continue
			}
			cmd := exec.Command(actionlint, "-shellcheck=", "-pyflakes=", "-oneline", "-stdin-filename="+b.page, "-")
			cmd.Stdin = strings.NewReader(b.text)
			output, err := cmd.CombinedOutput()
			whole := strings.HasPrefix(b.text, "name:") || strings.HasPrefix(b.text, "on:")
			if err != nil && (whole || strings.Contains(string(output), "could not parse as YAML")) {
				t.Errorf("a YAML block, at %s:%d: actionlint: %v\n%s", b.page, b.line, err, output)
			}
		}
	}
}
