package zeroread_test

import (
	"testing"

	"github.com/halfopen-lab/halfopen/suites/spec"
	_ "github.com/halfopen-lab/halfopen/suites/zeroread"
)

func TestMain(m *testing.M) { spec.Main(m) }

func TestZeroRead(t *testing.T) { spec.Run(t, "zero-read") }
