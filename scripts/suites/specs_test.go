package suites

import (
	"strings"
	"testing"

	"github.com/onsi/ginkgo/v2/types"
)

// spec is a spec with that text, in the folder suites/keepalive.
func spec(text string) types.SpecReport {
	return types.SpecReport{LeafNodeType: types.NodeTypeIt, LeafNodeText: text, State: types.SpecStatePassed,
		LeafNodeLocation: types.CodeLocation{FileName: "/src/suites/keepalive/probes.go", LineNumber: 7}}
}

func TestTwoSpecsOfOneNameAreAnError(t *testing.T) {
	a := spec("answers")
	if _, err := ByName(types.SpecReports{a, a}); err == nil || !strings.Contains(err.Error(), `two specs are named "keepalive: answers"`) {
		t.Errorf("by name: %v", err)
	}
	if byName, err := ByName(types.SpecReports{a, spec("is silent")}); err != nil || len(byName) != 2 {
		t.Errorf("by name: %v, %v", byName, err)
	}
}
