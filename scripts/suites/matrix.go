package suites

import (
	"github.com/onsi/ginkgo/v2/types"

	"github.com/halfopen-lab/halfopen/fixtures/detection"
)

// Matrix returns the detection matrix as far as the specs of a run have measured it.
func Matrix(specs types.SpecReports) (detection.Matrix, error) {
	var parts []string
	for _, spec := range specs {
		for _, entry := range spec.ReportEntries {
			if entry.Name == detection.Entry {
				parts = append(parts, entry.Value.AsJSON)
			}
		}
	}
	return detection.Join(parts)
}
