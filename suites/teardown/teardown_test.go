package teardown_test

import (
	"testing"

	"github.com/halfopen-lab/halfopen/suites/spec"
	_ "github.com/halfopen-lab/halfopen/suites/teardown"
)

func TestMain(m *testing.M) { spec.Main(m) }

func TestTeardown(t *testing.T) { spec.Run(t, "opening and closing") }
