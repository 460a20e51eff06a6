package measuring

import (
	"fmt"
	"net/netip"
	"os"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/firewall"
)

// trackers are the timeouts of connection tracking that would end a translated
// connection before anything else does (nf_conntrack-sysctl.rst), and forNobody is
// longer than any trial: 23 days, near the most that the kernel takes (its jiffies are
// an int).
var trackers = []string{"established", "unacknowledged", "max_retrans", "fin_wait", "close_wait", "last_ack", "time_wait", "close"}

const forNobody = "2000000" // seconds

// lead makes a loopback address of a host reachable at the host's own address: packets
// are sent there as if the host itself had connected (ip-sysctl.rst, route_localnet).
func lead(h *harness.Host, neighbour string, to netip.Addr, port uint16) error {
	link := "to-" + neighbour
	failed := func(err error) error { return fmt.Errorf("leading port %d to %v: %w", port, to, err) }
	set := func(name, value string) error {
		return h.Do(func() error { return os.WriteFile("/proc/sys/net/"+name, []byte(value), 0) })
	}
	if err := set("ipv4/conf/"+link+"/route_localnet", "1"); err != nil {
		return failed(err)
	}
	err := h.Rules().Set(firewall.Named("loopback"),
		firewall.Rule{Table: "nat", IPv4: fmt.Sprintf("-A PREROUTING -i %s -p tcp --dport %d -j DNAT --to-destination %v", link, port, netip.AddrPortFrom(to, port))},
		firewall.Rule{Table: "nat", IPv4: fmt.Sprintf("-A INPUT -p tcp -d %v --dport %d -j SNAT --to-source %v", to, port, to)},
	)
	if err != nil {
		return failed(err)
	}
	for _, name := range trackers { // they are there once rules track connections
		if err := set("netfilter/nf_conntrack_tcp_timeout_"+name, forNobody); err != nil {
			return failed(err)
		}
	}
	return nil
}
