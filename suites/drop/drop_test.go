package drop_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"

	"github.com/halfopen-lab/halfopen/harness"
	_ "github.com/halfopen-lab/halfopen/suites/drop"
)

func TestMain(m *testing.M) { harness.Main(m.Run) }

func TestDrop(t *testing.T) { RunSpecs(t, "abrupt drops") }
