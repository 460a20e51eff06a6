package firewall_test

import (
	"testing"

	_ "github.com/halfopen-lab/halfopen/suites/firewall"
	"github.com/halfopen-lab/halfopen/suites/spec"
)

func TestMain(m *testing.M) { spec.Main(m) }

func TestFirewall(t *testing.T) { spec.Run(t, "firewalls and NAT") }
