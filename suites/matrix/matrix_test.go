package matrix_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"

	"github.com/halfopen-lab/halfopen/harness"
	_ "github.com/halfopen-lab/halfopen/suites/matrix"
)

func TestMain(m *testing.M) { harness.Main(m.Run) }

func TestMatrix(t *testing.T) { RunSpecs(t, "the detection matrix") }
