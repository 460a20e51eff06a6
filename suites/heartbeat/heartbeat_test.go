package heartbeat_test

import (
	"testing"

	"github.com/halfopen-lab/halfopen/harness"
	_ "github.com/halfopen-lab/halfopen/suites/heartbeat"
	"github.com/halfopen-lab/halfopen/suites/spec"
)

func TestMain(m *testing.M) { harness.Main(m.Run) }

func TestHeartbeat(t *testing.T) { spec.Run(t, "application heartbeat") }
