package matrix_test

import (
	"testing"

	_ "github.com/halfopen-lab/halfopen/suites/matrix"
	"github.com/halfopen-lab/halfopen/suites/spec"
)

func TestMain(m *testing.M) { spec.Main(m) }

func TestMatrix(t *testing.T) { spec.Run(t, "the detection matrix") }
