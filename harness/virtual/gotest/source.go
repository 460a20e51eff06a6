package gotest

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/doc"
	"go/parser"
	"go/token"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/onsi/ginkgo/v2/types"
)

// function is what go test calls in a package: a test, an example, or a fuzz test with its
// seeds.
type function struct {
	name     string
	location types.CodeLocation
	ginkgo   bool // it runs the package's Ginkgo specs
}

// ginkgoPath is the import path of Ginkgo.
const ginkgoPath = "github.com/onsi/ginkgo/v2"

// functionsOf reads the functions from a package's source, in the order in which its test
// binary calls them: the go command writes the binary's main function from the same.
func functionsOf(p *testPackage) ([]function, error) {
	names, err := testFiles(p)
	if err != nil {
		return nil, err
	}
	files := token.NewFileSet()
	var functions []function
	var parsed []*ast.File
	for _, name := range names {
		file, err := parser.ParseFile(files, filepath.Join(p.source, name), nil, parser.ParseComments)
		if err != nil {
			return nil, fmt.Errorf("reading the names of tests: %w", err)
		}
		parsed = append(parsed, file)
		for _, declaration := range file.Decls {
			f, ok := declaration.(*ast.FuncDecl)
			if !ok || f.Recv != nil || !isTest(f) {
				continue
			}
			functions = append(functions, function{name: f.Name.Name, location: p.location(files.Position(f.Pos())), ginkgo: runsSpecs(file, f)})
		}
	}
	for _, example := range doc.Examples(parsed...) {
		if example.Output != "" || example.EmptyOutput {
			functions = append(functions, function{name: "Example" + example.Name, location: p.location(files.Position(example.Code.Pos()))})
		}
	}
	return functions, nil
}

// testFiles returns the names of the files whose tests are in the binary, by the tags that
// it was built with.
func testFiles(p *testPackage) ([]string, error) {
	builder := build.Default
	builder.GOOS, builder.GOARCH, builder.CgoEnabled = "linux", "amd64", p.setting("CGO_ENABLED") == "1"
	builder.BuildTags = strings.FieldsFunc(p.setting("-tags"), func(r rune) bool { return r == ',' || r == ' ' })
	source, err := builder.ImportDir(p.source, 0)
	if _, none := err.(*build.NoGoError); err != nil && !none {
		return nil, fmt.Errorf("reading the names of tests: %w", err)
	}
	return slices.Concat(source.TestGoFiles, source.XTestGoFiles), nil
}

// location is a place in the package as -trimpath gives it, the same on every machine.
func (p *testPackage) location(at token.Position) types.CodeLocation {
	return types.CodeLocation{FileName: path.Join(p.path, filepath.Base(at.Filename)), LineNumber: at.Line}
}

// isTest reports whether a function is a test or a fuzz test (go help testfunc).
func isTest(f *ast.FuncDecl) bool {
	for _, kind := range []struct{ prefix, parameter string }{{"Test", "T"}, {"Fuzz", "F"}} {
		rest, ok := strings.CutPrefix(f.Name.Name, kind.prefix)
		if first, _ := utf8.DecodeRuneInString(rest); !ok || unicode.IsLower(first) {
			continue
		}
		parameters := f.Type.Params.List
		if len(parameters) != 1 || len(parameters[0].Names) > 1 {
			continue
		}
		if pointer, ok := parameters[0].Type.(*ast.StarExpr); ok {
			switch of := pointer.X.(type) {
			case *ast.SelectorExpr:
				return of.Sel.Name == kind.parameter
			case *ast.Ident:
				return of.Name == kind.parameter
			}
		}
	}
	return false
}

// runsSpecs reports whether a function calls Ginkgo's RunSpecs.
func runsSpecs(file *ast.File, f *ast.FuncDecl) bool {
	name := importedAs(file, ginkgoPath)
	found := false
	ast.Inspect(f, func(node ast.Node) bool {
		call, ok := node.(*ast.CallExpr)
		if !ok {
			return true
		}
		switch called := call.Fun.(type) {
		case *ast.Ident:
			found = found || name == "." && called.Name == "RunSpecs"
		case *ast.SelectorExpr:
			of, ok := called.X.(*ast.Ident)
			found = found || ok && of.Name == name && called.Sel.Name == "RunSpecs"
		}
		return true
	})
	return found
}

// importedAs returns the name by which a file imports a package; empty: it does not.
func importedAs(file *ast.File, imported string) string {
	for _, spec := range file.Imports {
		if value, err := strconv.Unquote(spec.Path.Value); err != nil || value != imported {
			continue
		}
		if spec.Name != nil {
			return spec.Name.Name
		}
		return "ginkgo"
	}
	return ""
}
