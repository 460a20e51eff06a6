package keepalive_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"

	"github.com/halfopen-lab/halfopen/harness"
	_ "github.com/halfopen-lab/halfopen/suites/keepalive"
)

func TestMain(m *testing.M) { harness.Main(m.Run) }

func TestKeepalive(t *testing.T) { RunSpecs(t, "keepalive") }
