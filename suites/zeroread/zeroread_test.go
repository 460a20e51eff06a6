package zeroread_test

import (
	"testing"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/suites/spec"
	_ "github.com/halfopen-lab/halfopen/suites/zeroread"
)

func TestMain(m *testing.M) { harness.Main(m.Run) }

func TestZeroRead(t *testing.T) { spec.Run(t, "zero-read") }
