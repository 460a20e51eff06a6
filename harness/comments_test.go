package harness_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// TestComments checks that every exported identifier has a comment that begins with its name. The
// constants or variables of one declaration may share a comment. (staticcheck's ST1020 to ST1022
// check comments that are there.)
func TestComments(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	files := token.NewFileSet()
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(files, path, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		if file.Name.Name == "main" { // nobody imports it
			return nil
		}
		for _, declaration := range file.Decls {
			for _, name := range uncommented(declaration) {
				at := files.Position(name.Pos())
				relative, _ := filepath.Rel(root, at.Filename)
				t.Errorf("%s:%d: %s needs a comment that begins with its name", relative, at.Line, name.Name)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// uncommented returns the exported identifiers of a declaration whose comment is missing or begins
// with something else.
func uncommented(declaration ast.Decl) (names []*ast.Ident) {
	switch d := declaration.(type) {
	case *ast.FuncDecl:
		if d.Name.IsExported() && exportedReceiver(d) && !begins(d.Doc, d.Name.Name) {
			names = append(names, d.Name)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			switch s := spec.(type) {
			case *ast.TypeSpec:
				if s.Name.IsExported() && !begins(s.Doc, s.Name.Name) && !begins(d.Doc, s.Name.Name) {
					names = append(names, s.Name)
				}
			case *ast.ValueSpec:
				shared := d.Lparen.IsValid() && (d.Doc != nil || s.Doc != nil || s.Comment != nil)
				for _, name := range s.Names {
					if name.IsExported() && !shared && !begins(d.Doc, name.Name) {
						names = append(names, name)
					}
				}
			}
		}
	}
	return names
}

// exportedReceiver reports whether a function has no receiver, or one whose type is exported.
func exportedReceiver(f *ast.FuncDecl) bool {
	if f.Recv == nil {
		return true
	}
	receiver := f.Recv.List[0].Type
	for {
		switch r := receiver.(type) {
		case *ast.StarExpr:
			receiver = r.X
		case *ast.IndexExpr:
			receiver = r.X
		case *ast.Ident:
			return r.IsExported()
		default:
			return true
		}
	}
}

// begins reports whether a comment begins with a name, perhaps after an article.
func begins(comment *ast.CommentGroup, name string) bool {
	text := comment.Text()
	for _, article := range []string{"", "A ", "An ", "The "} {
		if rest, ok := strings.CutPrefix(text, article+name); ok && (rest == "" || strings.ContainsAny(rest[:1], " \n,.:'")) {
			return true
		}
	}
	return false
}
