package firewall_test

import (
	"testing"

	. "github.com/onsi/ginkgo/v2"

	"github.com/halfopen-lab/halfopen/harness"
	_ "github.com/halfopen-lab/halfopen/suites/firewall"
)

func TestMain(m *testing.M) { harness.Main(m.Run) }

func TestFirewall(t *testing.T) { RunSpecs(t, "firewalls and NAT") }
