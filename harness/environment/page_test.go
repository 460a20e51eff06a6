package environment_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const root = "../.."

// variable is the name of one of halfopen's own.
var variable = regexp.MustCompile(`^HALFOPEN_[A-Z_]+$`)

// owners are the packages that may name halfopen's variables.
var owners = []string{"harness/environment", "harness/reexec"}

// inCode returns the variables that the code names, each with the folder of the package
// that does. Tests may have variables of their own.
func inCode(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		folder, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		ast.Inspect(file, func(node ast.Node) bool {
			if literal, ok := node.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				if text, err := strconv.Unquote(literal.Value); err == nil && variable.MatchString(text) {
					found[text] = folder
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// onPage returns the variables that have a row in docs/environment.md.
func onPage(t *testing.T) (names []string) {
	t.Helper()
	page, err := os.ReadFile(filepath.Join(root, "docs", "environment.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range regexp.MustCompile("(?m)^\\| `(HALFOPEN_[A-Z_]+)` \\|").FindAllStringSubmatch(string(page), -1) {
		names = append(names, row[1])
	}
	return names
}

func TestThePageHasEveryVariable(t *testing.T) {
	code := inCode(t)
	want := slices.Sorted(maps.Keys(code))
	if got := slices.Sorted(slices.Values(onPage(t))); !slices.Equal(got, want) {
		t.Errorf("docs/environment.md has the variables\n%q\nand the code\n%q", got, want)
	}
	for name, folder := range code {
		if !slices.Contains(owners, folder) {
			t.Errorf("%s names the variable %s: only %q do", folder, name, owners)
		}
	}
}
