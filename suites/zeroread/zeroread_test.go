package zeroread_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"

	"github.com/halfopen-lab/halfopen/harness"
	_ "github.com/halfopen-lab/halfopen/suites/zeroread"
)

func TestMain(m *testing.M) { harness.Main(m.Run) }

func TestZeroRead(t *testing.T) { RunSpecs(t, "zero-read") }
