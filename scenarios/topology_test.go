package scenarios_test

import (
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/proxy"
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
	const noRouterBehind = "the topology client — server has no router behind the client: use Routed, Firewalled, NATed or ProxiedBehindFirewall"
	const noProxy = "the topology client — server has no proxy: use Proxied or ProxiedBehindFirewall"
	toxic := scenarios.Toxic{Port: 5000, Toxic: proxy.Latency{Delay: time.Second}}
	for fault, want := range map[harness.Fault]string{
		scenarios.NeighbourLost{}:           noRouterBehind,
		scenarios.ICMPError{}:               noRouterBehind,
		scenarios.PathMTU{MTU: 1400}:        noRouterBehind,
		scenarios.RouteDisabled{Port: 5000}: noProxy,
		scenarios.ProxyKilled{}:             noProxy,
		toxic:                               noProxy,
	} {
		expectError(t, direct, fault, want)
	}
	for _, f := range []harness.Fault{scenarios.NeighbourLost{}, scenarios.ICMPError{}, scenarios.PathMTU{MTU: 1400}} {
		expectCommands(t, direct, f, "# "+noRouterBehind)
	}
	expectCommands(t, direct, toxic, "# "+noProxy)

	// What was refused has left no trace.
	write(t, client, "hello")
}

// A proxy ends connections and forwards no packet: an error that it should give
// instead of forwarding never comes.
func TestAProxyIsNoRouter(t *testing.T) {
	lab := harness.New(t, harness.Proxied, sock.IPv4)
	for _, f := range []harness.Fault{scenarios.ICMPError{}, scenarios.NeighbourLost{}, scenarios.PathMTU{MTU: 1400}} {
		expectError(t, lab, f,
			"the topology client — proxy — server has no router behind the client: use Routed, Firewalled, NATed or ProxiedBehindFirewall")
	}
}
