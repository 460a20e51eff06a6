package scenarios_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/proxy"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
)

func TestAFaultSaysWhatTheTopologyLacks(t *testing.T) {
	direct := harness.New(t, harness.Direct, sock.IPv4)
	client, _ := direct.Connect(5000)

	const noFirewall = "the topology client — server has no firewall: use Firewalled, NATed or ProxiedBehindFirewall"
	expectError(t, direct, scenarios.IdleTimeout{After: time.Second}, noFirewall)
	expectError(t, direct, scenarios.ForgetFlow{Client: client}, noFirewall)
	expectError(t, direct, scenarios.StateFlush{}, noFirewall)
	expectError(t, direct, scenarios.ForgedReset{To: scenarios.End(client)}, noFirewall)
	expectCommands(t, direct, scenarios.ForgedReset{To: scenarios.End(client)}, "# "+noFirewall)
	expectError(t, direct, middlebox(t, "aws-nat-gw"), noFirewall)
	expectCommands(t, direct, middlebox(t, "aws-nat-gw"), "# "+noFirewall)
	const noNAT = "the topology client — server has no NAT: use NATed"
	expectError(t, direct, scenarios.NATRebinding{Client: client}, noNAT)
	expectCommands(t, direct, scenarios.NATRebinding{Client: client}, "# "+noNAT)

	const noRouterBehind = "the topology client — server has no router next to the client: use Routed, Firewalled, NATed or ProxiedBehindFirewall"
	const noProxy = "the topology client — server has no proxy: use Proxied or ProxiedBehindFirewall"
	toxic := scenarios.Toxic{Port: 5000, Toxic: proxy.Latency{Delay: time.Second}}
	for fault, want := range map[harness.Fault]string{
		scenarios.NeighbourLost{}:           noRouterBehind,
		scenarios.ICMPError{}:               noRouterBehind,
		scenarios.HeartbeatsDropped{}:       noRouterBehind,
		scenarios.PathMTU{MTU: 1400}:        noRouterBehind,
		scenarios.RouteDisabled{Port: 5000}: noProxy,
		scenarios.ProxyKilled{}:             noProxy,
		toxic:                               noProxy,
	} {
		expectError(t, direct, fault, want)
	}
	for _, f := range []harness.Fault{scenarios.NeighbourLost{}, scenarios.ICMPError{}, scenarios.PathMTU{MTU: 1400}, scenarios.HeartbeatsDropped{}} {
		expectCommands(t, direct, f, "# "+noRouterBehind)
	}
	expectCommands(t, direct, toxic, "# "+noProxy)

	const noSecond = "the topology client — server has no second path: use Multihomed"
	expectError(t, direct, scenarios.SilentDrop{On: scenarios.SecondPath}, noSecond)
	expectCommands(t, direct, scenarios.SilentDrop{On: scenarios.SecondPath}, "# "+noSecond)

	// The refused faults have changed nothing.
	write(t, client, "hello")
}

// A proxy terminates connections and forwards no packets, so it cannot answer with an error
// instead of forwarding.
func TestAProxyIsNoRouter(t *testing.T) {
	lab := harness.New(t, harness.Proxied, sock.IPv4)
	for _, f := range []harness.Fault{scenarios.ICMPError{}, scenarios.NeighbourLost{}, scenarios.PathMTU{MTU: 1400}} {
		expectError(t, lab, f,
			"the topology client — proxy — server has no router next to the client: use Routed, Firewalled, NATed or ProxiedBehindFirewall")
	}
}

// A cable is pulled at the router's end. A proxy would notice at its own end.
func TestACableIsPulledOnlyWhereARouterHoldsIt(t *testing.T) {
	const (
		client = "no router next to the client: use Routed, Firewalled, NATed or ProxiedBehindFirewall"
		middle = "no cable between two routers: use Routed"
		server = "no router before the server: use Routed, Firewalled or NATed"
	)
	for _, c := range []struct {
		topology harness.Topology
		lacks    [3]string
	}{
		{harness.Direct, [3]string{client, middle, server}},
		{harness.Routed, [3]string{}},
		{harness.Firewalled, [3]string{"", middle, ""}},
		{harness.NATed, [3]string{"", middle, ""}},
		{harness.Proxied, [3]string{client, middle, server}},
		{harness.ProxiedBehindFirewall, [3]string{"", middle, server}},
	} {
		topology, lacks := c.topology, c.lacks
		t.Run(topology.String(), func(t *testing.T) {
			t.Parallel()
			lab := harness.New(t, topology, sock.IPv4)
			c, s := lab.Connect(5000)
			for _, place := range []scenarios.Place{scenarios.ClientsEnd, scenarios.Middle, scenarios.ServersEnd} {
				fault := scenarios.CableOut{At: place}
				if lacks[place] != "" {
					want := fmt.Sprintf("the topology %v has %s", topology, lacks[place])
					expectError(t, lab, fault, want)
					expectCommands(t, lab, fault, "# "+want)
					continue
				}
				lab.Apply(fault)
				lab.Heal(fault)
			}
			expectError(t, lab, scenarios.CableOut{At: 7}, fmt.Sprintf("the topology %v has no cable at place 7", topology))
			write(t, c, "hello")
			expectText(t, s, "hello")
		})
	}
}
