package atomicfile_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// others are the folders that write files by package os, which nobody reads when they are not
// whole: files of the kernel (tracefs), of a guest, of a directory that is removed or renamed
// afterwards. Specs write the configurations of the programs that they start.
var others = []string{"harness/trace", "harness/box", "harness/virtual/guest", "harness/virtual/gotest", "harness/virtual/kernel"}

func TestFilesAreWrittenWhole(t *testing.T) {
	const root = "../.."
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "/testdata/") || strings.Contains(path, "/fixtures/") {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil || slices.Contains(others, folder) || strings.HasPrefix(folder, "suites/") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(node ast.Node) bool {
			if s, ok := node.(*ast.SelectorExpr); ok {
				if of, ok := s.X.(*ast.Ident); ok && of.Name == "os" && (s.Sel.Name == "WriteFile" || s.Sel.Name == "Create") {
					t.Errorf("%s has os.%s: write the file with harness/atomicfile, or say in this test why it need not be whole", path, s.Sel.Name)
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
