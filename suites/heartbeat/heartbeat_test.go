package heartbeat_test

import (
	"testing"

	_ "github.com/halfopen-lab/halfopen/suites/heartbeat"
	"github.com/halfopen-lab/halfopen/suites/spec"
)

func TestMain(m *testing.M) { spec.Main(m) }

func TestHeartbeat(t *testing.T) { spec.Run(t, "application heartbeat") }
