package firewall_test

import (
	"testing"

	"github.com/halfopen-lab/halfopen/harness"
	_ "github.com/halfopen-lab/halfopen/suites/firewall"
	"github.com/halfopen-lab/halfopen/suites/spec"
)

func TestMain(m *testing.M) { harness.Main(m.Run) }

func TestFirewall(t *testing.T) { spec.Run(t, "firewalls and NAT") }
