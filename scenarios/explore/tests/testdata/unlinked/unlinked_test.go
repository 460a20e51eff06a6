package unlinked_test

import (
	"testing"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

func TestMain(m *testing.M) { harness.Main(m.Run) }

func TestKnowsNoFaults(t *testing.T) { harness.New(t, harness.Direct, sock.IPv4).Connect(5000) }
