package presets_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"

	"github.com/halfopen-lab/halfopen/harness"
	_ "github.com/halfopen-lab/halfopen/suites/presets"
)

func TestMain(m *testing.M) { harness.Main(m.Run) }

func TestPresets(t *testing.T) { RunSpecs(t, "middlebox presets") }
