package docs_test

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/bazelbuild/buildtools/build"
)

const (
	templateFile  = "tools/rules/private/pg_template.bzl"
	testFile      = "tools/rules/private/pg_go_test.bzl"
	pgTestFile    = "tools/rules/private/pg_test.bzl"
	extensionFile = "tools/rules/extensions.bzl"
)

// attribute is one of a rule, a macro or a tag.
type attribute struct{ name, kind, preset, doc string }

// kinds are the words for what attr has.
var kinds = map[string]string{
	"bool": "bool", "label": "label", "label_list": "labels", "string": "string", "string_dict": "string to string",
	"string_list": "strings",
}

func mustParseBzl(t *testing.T, path string) *build.File {
	t.Helper()
	file, err := build.ParseBzl(path, []byte(mustRead(t, mustTree(t), path)))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// assigned gives what a variable of a file is set to.
func assigned(t *testing.T, file *build.File, name string) build.Expr {
	t.Helper()
	for _, statement := range file.Stmt {
		if set, ok := statement.(*build.AssignExpr); ok {
			if left, ok := set.LHS.(*build.Ident); ok && left.Name == name {
				return set.RHS
			}
		}
	}
	t.Fatalf("%s sets no %s", file.Path, name)
	return nil
}

// argument gives an argument of a call by its name, or nil.
func argument(call *build.CallExpr, name string) build.Expr {
	for _, arg := range call.List {
		if set, ok := arg.(*build.AssignExpr); ok {
			if left, ok := set.LHS.(*build.Ident); ok && left.Name == name {
				return set.RHS
			}
		}
	}
	return nil
}

// text gives the value of a string, also of one that is put together of several.
func text(e build.Expr) string {
	switch e := e.(type) {
	case *build.StringExpr:
		return e.Value
	case *build.BinaryExpr:
		return text(e.X) + text(e.Y)
	}
	return ""
}

// attributesOf reads a dict of names and calls of attr.
func attributesOf(t *testing.T, e build.Expr) []attribute {
	t.Helper()
	dict, ok := e.(*build.DictExpr)
	if !ok {
		t.Fatalf("attributes are a %T, want a dict", e)
	}
	var all []attribute
	for _, entry := range dict.List {
		name := text(entry.Key)
		call, ok := entry.Value.(*build.CallExpr)
		if !ok || strings.HasPrefix(name, "_") {
			continue
		}
		kind, ok := call.X.(*build.DotExpr)
		if !ok || kinds[kind.Name] == "" {
			t.Fatalf("attribute %s: a kind that is not known; add it to kinds", name)
		}
		a := attribute{name: name, kind: kinds[kind.Name], doc: text(argument(call, "doc")),
			preset: text(argument(call, "default"))}
		if mandatory, ok := argument(call, "mandatory").(*build.Ident); ok && mandatory.Name == "True" {
			a.kind += ", mandatory"
		}
		if a.doc == "" {
			t.Errorf("attribute %s has no doc", name)
		}
		all = append(all, a)
	}
	return all
}

func ruleAttributes(t *testing.T, file, variable string) []attribute {
	t.Helper()
	return attributesOf(t, assigned(t, mustParseBzl(t, file), variable))
}

// macroArguments reads the section Args of a macro's docstring.
func macroArguments(t *testing.T, file, name string) []attribute {
	t.Helper()
	parsed := mustParseBzl(t, file)
	i := slices.IndexFunc(parsed.Stmt, func(e build.Expr) bool {
		def, ok := e.(*build.DefStmt)
		return ok && def.Name == name
	})
	if i < 0 {
		t.Fatalf("%s has no macro %s", file, name)
	}
	_, args, _ := strings.Cut(text(parsed.Stmt[i].(*build.DefStmt).Body[0]), "Args:\n")
	entry := regexp.MustCompile(`^        (\*{0,2}\w+): (.*)$`)
	var all []attribute
	for line := range strings.Lines(args) {
		line = strings.TrimRight(line, "\n")
		if match := entry.FindStringSubmatch(line); match != nil {
			all = append(all, attribute{name: match[1], doc: match[2]})
		} else if len(all) > 0 && strings.TrimSpace(line) != "" {
			all[len(all)-1].doc += " " + strings.TrimSpace(line)
		}
	}
	return all
}

// table writes attributes as Markdown.
func table(b *strings.Builder, attributes []attribute) {
	b.WriteString("| attribute | meaning |\n|---|---|\n")
	for _, a := range attributes {
		kind := a.kind
		if strings.HasPrefix(a.preset, "//") {
			a.preset = "@pgcell" + a.preset
		}
		if a.preset != "" {
			kind += fmt.Sprintf(", default `%q`", a.preset)
		}
		if kind != "" {
			kind = " (" + kind + ")"
		}
		fmt.Fprintf(b, "| `%s`%s | %s |\n", a.name, kind, strings.ReplaceAll(a.doc, "|", `\|`))
	}
	b.WriteString("\n")
}

// attributesPage is docs/attributes.md.
func attributesPage(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("# Attributes\n\n" +
		"<!-- generated from tools/rules: go test ./tests/docs -run TestAttributesPage -update -->\n\n" +
		"```starlark\nload(\"@pgcell//tools/rules:defs.bzl\", \"pg_go_test\", \"pg_template\", \"pg_test\")\n```\n\n## pg_template\n\n")
	file := mustParseBzl(t, templateFile)
	b.WriteString(strings.TrimSpace(text(assigned(t, file, "_DOC"))) + "\n\n")
	table(&b, ruleAttributes(t, templateFile, "_ATTRS"))
	b.WriteString("## pg_go_test\n\nA macro: a `go_test` of rules_go whose tests get databases made from a template. " +
		"It takes every attribute of `go_test`.\n\n")
	table(&b, macroArguments(t, testFile, "pg_go_test"))
	b.WriteString("## pg_test\n\n" + strings.TrimSpace(text(assigned(t, mustParseBzl(t, pgTestFile), "_DOC"))) + "\n\n")
	table(&b, ruleAttributes(t, pgTestFile, "_ATTRS"))
	b.WriteString("## Tags of the module extension\n\n```starlark\n" +
		"postgres = use_extension(\"@pgcell//tools/rules:extensions.bzl\", \"postgres\")\n```\n\n" +
		"You need it only for versions of PostgreSQL that pgcell does not offer by itself.\n\n")
	extension := mustParseBzl(t, extensionFile)
	for _, tag := range []string{"host", "bundle", "archive", "npm"} {
		class, ok := assigned(t, extension, "_"+tag).(*build.CallExpr)
		if !ok {
			t.Fatalf("_%s is no tag class", tag)
		}
		fmt.Fprintf(&b, "### postgres.%s\n\n%s\n\n", tag, text(argument(class, "doc")))
		if attrs := argument(class, "attrs"); attrs != nil {
			all := attributesOf(t, attrs)
			slices.SortFunc(all, func(x, y attribute) int { return cmp.Compare(x.name, y.name) })
			table(&b, all)
		}
	}
	return strings.TrimSpace(b.String()) + "\n"
}

func TestAttributesPage(t *testing.T) {
	t.Parallel()
	want := attributesPage(t)
	path := filepath.Join(mustTree(t), "docs", "attributes.md")
	if *update {
		if err := os.WriteFile(path, []byte(want), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got := mustRead(t, path); got != want {
		t.Error("docs/attributes.md is not that of tools/rules: bring it up to date with go test ./tests/docs -update")
	}
}
