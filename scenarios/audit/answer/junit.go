package answer

import (
	"encoding/xml"

	"github.com/onsi/ginkgo/v2/reporters"

	"github.com/halfopen-lab/halfopen/harness/atomicfile"
)

// WriteJUnit writes the results of a program's promises as JUnit's XML: continuous
// integration shows each promise as a test.
func WriteJUnit(file, program string, results []Result) error {
	suite := reporters.JUnitTestSuite{Name: program, Tests: len(results)}
	for _, r := range results {
		test := reporters.JUnitTestCase{Name: r.Promise, Classname: program, Status: "passed"}
		switch {
		case r.Broken != "":
			suite.Failures++
			test.Status, test.Failure = "failed", &reporters.JUnitFailure{Message: r.Broken, Type: "failed", Description: r.Broken}
		case r.Open != "":
			suite.Errors++
			test.Status, test.Error = "error", &reporters.JUnitError{Message: r.Open, Type: "error", Description: r.Open}
		}
		suite.TestCases = append(suite.TestCases, test)
	}
	all := reporters.JUnitTestSuites{Tests: suite.Tests, Failures: suite.Failures, Errors: suite.Errors, TestSuites: []reporters.JUnitTestSuite{suite}}
	content, err := xml.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(file, append([]byte(xml.Header), append(content, '\n')...), 0o644)
}
