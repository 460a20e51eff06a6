package heartbeat_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"

	"github.com/halfopen-lab/halfopen/harness"
	_ "github.com/halfopen-lab/halfopen/suites/heartbeat"
)

func TestMain(m *testing.M) { harness.Main(m.Run) }

func TestHeartbeat(t *testing.T) { RunSpecs(t, "application heartbeat") }
