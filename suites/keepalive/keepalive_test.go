package keepalive_test

import (
	"testing"

	"github.com/halfopen-lab/halfopen/harness"
	_ "github.com/halfopen-lab/halfopen/suites/keepalive"
	"github.com/halfopen-lab/halfopen/suites/spec"
)

func TestMain(m *testing.M) { harness.Main(m.Run) }

func TestKeepalive(t *testing.T) { spec.Run(t, "keepalive") }
