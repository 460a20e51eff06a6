package diameter_test

import (
	"testing"

	_ "github.com/halfopen-lab/halfopen/suites/diameter"
	"github.com/halfopen-lab/halfopen/suites/spec"
)

func TestMain(m *testing.M) { spec.Main(m) }

func TestDiameter(t *testing.T) { spec.Run(t, "Diameter") }
