package suites

import (
	"fmt"
	"path/filepath"

	"github.com/onsi/ginkgo/v2/types"
)

// Family is the folder that a spec is in.
func Family(spec types.SpecReport) string { return filepath.Base(filepath.Dir(spec.FileName())) }

// Name is what a spec is known by, in every run: its family and its text.
func Name(spec types.SpecReport) string { return Family(spec) + ": " + spec.FullText() }

// ByName are specs by their names, of which no two may be the same.
func ByName(specs types.SpecReports) (map[string]types.SpecReport, error) {
	byName := map[string]types.SpecReport{}
	for _, spec := range specs {
		name := Name(spec)
		if other, twice := byName[name]; twice {
			return nil, fmt.Errorf("two specs are named %q, at %s and %s: give one another text", name, other.LeafNodeLocation, spec.LeafNodeLocation)
		}
		byName[name] = spec
	}
	return byName, nil
}

// Entries are those of a name that the harness has put into a spec's report.
func Entries(spec types.SpecReport, name string) []string {
	var texts []string
	for _, entry := range spec.ReportEntries {
		if entry.Name == name {
			texts = append(texts, entry.StringRepresentation())
		}
	}
	return texts
}
