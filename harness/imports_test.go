package harness_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/halfopen-lab/halfopen/"

// TestImports keeps the direction of imports: cmd and suites import scenarios, fixtures and
// harness/matcher, these import harness, and harness imports the packages below it.
func TestImports(t *testing.T) {
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		relative, _ := filepath.Rel(root, path)
		for _, spec := range file.Imports {
			imported, _ := strconv.Unquote(spec.Path.Value)
			if reason := forbidden(filepath.Dir(relative), imported); reason != "" {
				t.Errorf("%s imports %s: %s", relative, imported, reason)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// reports are Ginkgo's packages for the reports of a run: they assert nothing.
var reports = []string{"github.com/onsi/ginkgo/v2/types", "github.com/onsi/ginkgo/v2/reporters"}

// forbidden returns why the package in a folder must not import another; "" if it may.
func forbidden(folder, imported string) string {
	ours := strings.HasPrefix(imported, module)
	target := strings.TrimPrefix(imported, module)
	switch {
	case !ours && !slices.Contains(reports, imported) && (strings.HasPrefix(imported, "github.com/onsi/gomega") || strings.HasPrefix(imported, "github.com/onsi/ginkgo")):
		if !within(folder, "harness/matcher", "suites") {
			return "only harness/matcher and suites assert"
		}
	case ours && within(folder, "harness/oracle", "harness/sock"):
		return "harness/oracle and harness/sock import nothing of ours"
	case ours && within(target, "suites") && !within(folder, "suites"):
		return "nothing imports suites"
	case ours && within(target, "scenarios", "fixtures", "harness/matcher", "cmd") && within(folder, "harness"):
		return "harness does not know who uses it"
	case ours && target == "harness" && within(folder, "harness"):
		return "the packages below harness do not import it"
	case ours && within(target, "scenarios") && within(folder, "fixtures", "harness/matcher"):
		return "faults are applied by suites and commands"
	case ours && within(target, "scenarios/audit") && !within(folder, "scenarios/audit", "scenarios/page", "cmd", "scripts", "suites"):
		return "audits are run by commands"
	}
	return ""
}

func within(path string, folders ...string) bool {
	return slices.ContainsFunc(folders, func(folder string) bool {
		return path == folder || strings.HasPrefix(path, folder+"/")
	})
}
