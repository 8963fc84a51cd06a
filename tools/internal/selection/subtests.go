package selection

import (
	"go/ast"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
)

// subtestsOf gives the names of a test's direct subtests, and whether they are all. They are if each is a literal in a
// call of t.Run, and t goes nowhere else but to functions that are known to run no subtests.
func subtestsOf(file *ast.File, f *ast.FuncDecl) (names []string, all bool) {
	params := f.Type.Params.List
	if f.Body == nil || len(params) != 1 || len(params[0].Names) != 1 {
		return nil, false
	}
	r := &subtestReader{t: params[0].Names[0].Name, packages: packagesOf(file), all: true}
	ast.Inspect(f.Body, r.look)
	return r.names, r.all
}

// withoutSubtests are packages whose functions run no subtests of the t that they get, if they get no function to call.
// Of any other package nothing is known: a function there may be a suite of tests for what it is given.
var withoutSubtests = []string{
	"github.com/pgcell/pgcell/tools/pgcell", "github.com/stretchr/testify/assert", "github.com/stretchr/testify/require",
}

// packagesOf gives the names by which a file calls packages that run no subtests.
func packagesOf(file *ast.File) []string {
	var names []string
	for _, i := range file.Imports {
		name, _ := strconv.Unquote(i.Path.Value) // the parser has accepted it
		if !slices.Contains(withoutSubtests, name) {
			continue
		}
		name = path.Base(name)
		if i.Name != nil {
			name = i.Name.Name
		}
		names = append(names, name)
	}
	return names
}

type subtestReader struct {
	t        string   // the parameter
	packages []string // names of those that run no subtests
	names    []string
	all      bool
}

// look is for ast.Inspect.
func (r *subtestReader) look(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.Ident:
		r.all = r.all && n.Name != r.t // it goes somewhere else
	case *ast.CallExpr:
		method, ok := n.Fun.(*ast.SelectorExpr)
		switch {
		case ok && isIdent(method.X, r.t) && method.Sel.Name == "Run" && len(n.Args) == 2:
			r.run(n.Args[0])
			return false // what the subtest runs is not direct
		case ok && isIdent(method.X, r.t):
			r.lookAt(n.Args)
			return false
		case ok && r.harmless(method, n.Args):
			r.lookAt(slices.DeleteFunc(slices.Clone(n.Args), func(arg ast.Expr) bool { return isIdent(arg, r.t) }))
			return false
		}
	}
	return true
}

func (r *subtestReader) lookAt(args []ast.Expr) {
	for _, arg := range args {
		ast.Inspect(arg, r.look)
	}
}

// run takes in the name in a call of t.Run.
func (r *subtestReader) run(name ast.Expr) {
	literal, ok := name.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		r.all = false
		return
	}
	text, err := strconv.Unquote(literal.Value)
	if err != nil || text == "" || strings.ContainsAny(text, "/#\\") {
		r.all = false
		return
	}
	r.names = append(r.names, strings.Join(strings.Fields(text), "_"))
}

// harmless reports whether a call is one of a function that runs no subtests, see withoutSubtests.
func (r *subtestReader) harmless(f *ast.SelectorExpr, args []ast.Expr) bool {
	pkg, ok := f.X.(*ast.Ident)
	return ok && slices.Contains(r.packages, pkg.Name) &&
		!slices.ContainsFunc(args, func(arg ast.Expr) bool {
			_, isFunc := arg.(*ast.FuncLit)
			return isFunc
		})
}

func isIdent(e ast.Expr, name string) bool {
	i, ok := e.(*ast.Ident)
	return ok && i.Name == name
}
