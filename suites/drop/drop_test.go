package drop_test

import (
	"testing"

	_ "github.com/halfopen-lab/halfopen/suites/drop"
	"github.com/halfopen-lab/halfopen/suites/spec"
)

func TestMain(m *testing.M) { spec.Main(m) }

func TestDrop(t *testing.T) { spec.Run(t, "abrupt drops") }
