package presets_test

import (
	"testing"

	_ "github.com/halfopen-lab/halfopen/suites/presets"
	"github.com/halfopen-lab/halfopen/suites/spec"
)

func TestMain(m *testing.M) { spec.Main(m) }

func TestPresets(t *testing.T) { spec.Run(t, "middlebox presets") }
