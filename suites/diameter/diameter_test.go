package diameter_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"

	"github.com/halfopen-lab/halfopen/harness"
	_ "github.com/halfopen-lab/halfopen/suites/diameter"
)

func TestMain(m *testing.M) { harness.Main(m.Run) }

func TestDiameter(t *testing.T) { RunSpecs(t, "Diameter") }
