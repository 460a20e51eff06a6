package scenarios_test

import (
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
)

func TestAFaultSaysWhatTheTopologyLacks(t *testing.T) {
	direct, firewalled := harness.New(t, harness.Direct, sock.IPv4), harness.New(t, harness.Firewalled, sock.IPv4)
	client, _ := direct.Connect(5000)

	const noFirewall = "the topology client — server has no firewall: use Firewalled, NATed or ProxiedBehindFirewall"
	expectError(t, direct, scenarios.IdleTimeout{After: time.Second}, noFirewall)
	expectError(t, direct, scenarios.ForgetFlow{Client: client}, noFirewall)
	expectError(t, direct, scenarios.StateFlush{}, noFirewall)
	expectError(t, direct, scenarios.NATRebinding{Client: client}, noFirewall)

	const noRouter = "the topology client — server has no router: a cable between two peers alone cannot be pulled without taking one peer's link down"
	for _, place := range []scenarios.Place{scenarios.ClientsEnd, scenarios.Middle, scenarios.ServersEnd} {
		expectError(t, direct, scenarios.CableOut{At: place}, noRouter)
		expectCommands(t, direct, scenarios.CableOut{At: place}, "# "+noRouter)
	}
	expectError(t, firewalled, scenarios.CableOut{At: scenarios.Middle},
		"the topology client — firewall — server has no cable in the middle: use Routed")
	expectError(t, direct, scenarios.NeighbourLost{}, "the topology client — server has no router")
	expectError(t, direct, scenarios.ICMPError{}, "the topology client — server has no router that could answer")

	// What was refused has left no trace.
	write(t, client, "hello")
}

// A proxy ends connections and forwards no packet: an error that it should give
// instead of forwarding never comes.
func TestAProxyIsNoRouter(t *testing.T) {
	lab := harness.New(t, harness.Proxied, sock.IPv4)
	expectError(t, lab, scenarios.ICMPError{}, "the topology client — proxy — server has no router that could answer")
}
