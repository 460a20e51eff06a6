package recovery_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"

	"github.com/halfopen-lab/halfopen/harness"
	_ "github.com/halfopen-lab/halfopen/suites/recovery"
)

func TestMain(m *testing.M) { harness.Main(m.Run) }

func TestRecovery(t *testing.T) { RunSpecs(t, "recovery") }
