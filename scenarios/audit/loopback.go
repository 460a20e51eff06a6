package audit

import (
	"fmt"
	"net/netip"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	"github.com/halfopen-lab/halfopen/harness/sysctl"
)

// trackedStates are the states whose timeouts of connection tracking would end a translated
// connection before anything else does (nf_conntrack-sysctl.rst).
var trackedStates = []string{"established", "unacknowledged", "max_retrans", "fin_wait", "close_wait", "last_ack", "time_wait", "close"}

// noTimeout is longer than any trial: 23 days in seconds, near the longest timeout that the
// kernel takes (its jiffies are an int).
const noTimeout = "2000000"

// exposeLoopback makes a server that listens on a loopback address of a host reachable at
// the host's own address, without touching the server: the host's packet filter translates
// the addresses, as if the host itself had connected (ip-sysctl.rst, route_localnet).
func exposeLoopback(h, neighbour *harness.Host, to netip.Addr, port uint16) error {
	link := h.LinkTo(neighbour)
	failed := func(err error) error { return fmt.Errorf("leading port %d to %v: %w", port, to, err) }
	set := func(name, value string) error { return h.Do(func() error { return sysctl.Write(name, value) }) }
	to = to.Unmap()
	in := fmt.Sprintf("-A PREROUTING -i %s -p tcp --dport %d -j DNAT --to-destination %v", link, port, netip.AddrPortFrom(to, port))
	source := fmt.Sprintf("-A INPUT -p tcp -d %v --dport %d -j SNAT --to-source %v", to, port, to)
	rules := []firewall.Rule{{Table: "nat", IPv4: in}, {Table: "nat", IPv4: source}}
	if to.Is4() {
		if err := set("net/ipv4/conf/"+link+"/route_localnet", "1"); err != nil {
			return failed(err)
		}
	} else { // the kernel refuses loopback addresses before the rules translate (ip6_rcv_core)
		if err := h.Links().Deliver(link, to); err != nil {
			return failed(err)
		}
		rules = []firewall.Rule{{Table: "nat", IPv6: in}, {Table: "nat", IPv6: source}}
	}
	if err := h.Rules().Set(firewall.Named("a server on loopback"), rules...); err != nil {
		return failed(err)
	}
	for _, state := range trackedStates { // the sysctls are there once rules track connections
		if err := set("net/netfilter/nf_conntrack_tcp_timeout_"+state, noTimeout); err != nil {
			return failed(err)
		}
	}
	return nil
}
