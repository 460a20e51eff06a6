package teardown_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"

	"github.com/halfopen-lab/halfopen/harness"
	_ "github.com/halfopen-lab/halfopen/suites/teardown"
)

func TestMain(m *testing.M) { harness.Main(m.Run) }

func TestTeardown(t *testing.T) { RunSpecs(t, "opening and closing") }
