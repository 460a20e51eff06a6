package scenarios_test

import (
	"fmt"
	"os/exec"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	"github.com/halfopen-lab/halfopen/harness/link"
	"github.com/halfopen-lab/halfopen/harness/proxy"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
)

// The expected commands follow iptables(8), ip-link(8), ip-route(8), ip-neighbour(8) and
// conntrack(8), with the addresses (RFC 5737, RFC 3849) and links that a lab documents.

func TestTheFirewallsCommands(t *testing.T) {
	lab := harness.New(t, harness.Firewalled, sock.IPv4)
	client, _ := lab.Connect(5000)
	port := client.Local().Port()

	expectCommands(t, lab, scenarios.ForgetFlow{Client: client},
		"# on the firewall",
		fmt.Sprintf("conntrack -D -p tcp -s 192.0.2.10 --sport %d -d 198.51.100.20 --dport 5000", port))
	expectCommands(t, lab, scenarios.ImpairedPath{By: link.Impairment{Delay: time.Second, Reorder: 50}},
		"# on the firewall",
		"tc qdisc replace dev to-server root netem delay 1s reorder 50%",
		"tc qdisc replace dev to-client root netem delay 1s reorder 50%")
	expectCommands(t, lab, scenarios.HeartbeatsDropped{},
		"# on the firewall",
		"iptables -t raw -A PREROUTING -p sctp -m sctp --chunk-types any HEARTBEAT -j DROP",
		"ip6tables -t raw -A PREROUTING -p sctp -m sctp --chunk-types any HEARTBEAT -j DROP")
	expectCommands(t, lab, scenarios.StateFlush{Then: firewall.SilentDrop},
		"# on the firewall, which keeps its rules", "conntrack -F")
	expectCommands(t, lab, scenarios.IdleTimeout{After: 90 * time.Second, Then: firewall.SilentDrop},
		"# on the firewall",
		"sysctl -w net.netfilter.nf_conntrack_tcp_timeout_established=90",
		"sysctl -w net.netfilter.nf_conntrack_sctp_timeout_established=90",
		"sysctl -w net.netfilter.nf_conntrack_tcp_loose=0",
		"iptables -t filter -A FORWARD -m conntrack --ctstate INVALID -j DROP",
		"ip6tables -t filter -A FORWARD -m conntrack --ctstate INVALID -j DROP")
	expectCommands(t, lab, scenarios.IdleTimeout{After: time.Hour, Then: firewall.ResetSender},
		"# on the firewall",
		"sysctl -w net.netfilter.nf_conntrack_tcp_timeout_established=3600",
		"sysctl -w net.netfilter.nf_conntrack_sctp_timeout_established=3600",
		"sysctl -w net.netfilter.nf_conntrack_tcp_loose=0",
		"iptables -t filter -A FORWARD -p tcp -m conntrack --ctstate INVALID -j REJECT --reject-with tcp-reset",
		"ip6tables -t filter -A FORWARD -p tcp -m conntrack --ctstate INVALID -j REJECT --reject-with tcp-reset",
		"iptables -t filter -A FORWARD -m conntrack --ctstate INVALID -j DROP",
		"ip6tables -t filter -A FORWARD -m conntrack --ctstate INVALID -j DROP")
	expectCommands(t, lab, scenarios.IdleTimeout{After: time.Second, Then: firewall.PickUp},
		"# on the firewall",
		"sysctl -w net.netfilter.nf_conntrack_tcp_timeout_established=1",
		"sysctl -w net.netfilter.nf_conntrack_sctp_timeout_established=1",
		"sysctl -w net.netfilter.nf_conntrack_tcp_loose=1",
		"iptables -t filter -A FORWARD -m conntrack --ctstate NEW,ESTABLISHED,RELATED -j ACCEPT",
		"ip6tables -t filter -A FORWARD -m conntrack --ctstate NEW,ESTABLISHED,RELATED -j ACCEPT")
}

// In both families the old rule comes before the new one unless it is flushed.
func TestTheNATsCommands(t *testing.T) {
	lab := harness.New(t, harness.NATed, sock.IPv6)
	client, _ := lab.Connect(5000)
	expectCommands(t, lab, scenarios.NATRebinding{Client: client, Ports: firewall.PortRange{First: 40000, Last: 40009}},
		"# on the NAT",
		"iptables -t nat -F POSTROUTING",
		"ip6tables -t nat -F POSTROUTING",
		"iptables -t nat -A POSTROUTING -o to-server -p tcp -j MASQUERADE --to-ports 40000-40009",
		"ip6tables -t nat -A POSTROUTING -o to-server -p tcp -j MASQUERADE --to-ports 40000-40009",
		fmt.Sprintf("conntrack -D -p tcp -s 2001:db8:1::10 --sport %d -d 2001:db8:2::20 --dport 5000", client.Local().Port()))
	expectCommands(t, lab, scenarios.NATRebinding{Ports: firewall.PortRange{First: 40000, Last: 40009}},
		"# on the NAT",
		"iptables -t nat -F POSTROUTING",
		"ip6tables -t nat -F POSTROUTING",
		"iptables -t nat -A POSTROUTING -o to-server -p tcp -j MASQUERADE --to-ports 40000-40009",
		"ip6tables -t nat -A POSTROUTING -o to-server -p tcp -j MASQUERADE --to-ports 40000-40009",
		"conntrack -F")
}

func TestTheRoutersCommands(t *testing.T) {
	lab := harness.New(t, harness.Routed, sock.IPv4)
	expectCommands(t, lab, scenarios.NeighbourLost{},
		"# on the server", "ip link set to-router-east down",
		"# on the router-east", "ip neigh flush dev to-server nud all")
	expectCommands(t, lab, scenarios.PathMTU{MTU: 1400}, "# on the router-east",
		"ip route replace 203.0.113.20 dev to-server mtu 1400", "ip route replace 2001:db8:3::20 dev to-server mtu 1400")
	// iptables-extensions(8), icmp and icmp6; iptables -p icmp -h lists the types' names.
	expectCommands(t, lab, scenarios.PathMTU{MTU: 1280, Filtered: true}, "# on the router-east",
		"iptables -t filter -A OUTPUT -p icmp --icmp-type fragmentation-needed -j DROP",
		"ip6tables -t filter -A OUTPUT -p ipv6-icmp --icmpv6-type packet-too-big -j DROP",
		"ip route replace 203.0.113.20 dev to-server mtu 1280", "ip route replace 2001:db8:3::20 dev to-server mtu 1280")
	for answer, names := range map[scenarios.ICMP][2]string{
		// iptables-extensions(8), REJECT.
		scenarios.NetUnreachable:      {"icmp-net-unreachable", "icmp6-no-route"},
		scenarios.HostUnreachable:     {"icmp-host-unreachable", "icmp6-addr-unreachable"},
		scenarios.ProtocolUnreachable: {"icmp-proto-unreachable", "icmp6-adm-prohibited"},
		scenarios.PortUnreachable:     {"icmp-port-unreachable", "icmp6-port-unreachable"},
	} {
		expectCommands(t, lab, scenarios.ICMPError{Answer: answer},
			"# on the router-west",
			"iptables -t filter -A FORWARD -i to-client -j REJECT --reject-with "+names[0],
			"ip6tables -t filter -A FORWARD -i to-client -j REJECT --reject-with "+names[1])
	}
	expectCommands(t, lab, scenarios.ICMPError{Answer: scenarios.TimeExceeded},
		"# on the router-west",
		"iptables -t mangle -A PREROUTING -i to-client -j TTL --ttl-set 1",
		"ip6tables -t mangle -A PREROUTING -i to-client ! -p ipv6-icmp -j HL --hl-set 1")
}

func TestTheCommandsForACable(t *testing.T) {
	lab := harness.New(t, harness.Routed, sock.IPv4)
	blackholes := []string{
		"ip route replace blackhole 192.0.2.0/26 metric 4096",
		"ip route replace blackhole 2001:db8:1::/64 metric 4096",
		"ip route replace blackhole 198.51.100.0/26 metric 4096",
		"ip route replace blackhole 2001:db8:2::/64 metric 4096",
		"ip route replace blackhole 203.0.113.0/26 metric 4096",
		"ip route replace blackhole 2001:db8:3::/64 metric 4096",
	}
	on := func(host, link string) []string {
		return append(append([]string{"# on the " + host}, blackholes...), "ip link set "+link+" down")
	}
	expectCommands(t, lab, scenarios.CableOut{At: scenarios.ClientsEnd}, on("router-west", "to-client")...)
	expectCommands(t, lab, scenarios.CableOut{At: scenarios.Middle}, append(on("router-west", "to-router-east"), on("router-east", "to-router-west")...)...)
	expectCommands(t, lab, scenarios.CableOut{At: scenarios.ServersEnd}, on("router-east", "to-server")...)
}

func TestTheCommandsForASilentDrop(t *testing.T) {
	firewalled, direct := harness.New(t, harness.Firewalled, sock.IPv4), harness.New(t, harness.Direct, sock.IPv4)
	rules := func(link string) []string {
		return []string{
			"iptables -t raw -A PREROUTING -i " + link + " -j DROP",
			"ip6tables -t raw -A PREROUTING -i " + link + " ! -p ipv6-icmp -j DROP",
		}
	}
	both := append(append([]string{"# on the firewall"}, rules("to-client")...), rules("to-server")...)
	expectCommands(t, firewalled, scenarios.SilentDrop{}, both...)
	expectCommands(t, firewalled, scenarios.SilentDrop{Direction: scenarios.TowardsServer}, both[:3]...)
	expectCommands(t, firewalled, scenarios.SilentDrop{Direction: scenarios.TowardsClient}, append([]string{both[0]}, both[3:]...)...)

	multihomed := harness.New(t, harness.Multihomed, sock.IPv4)
	expectCommands(t, multihomed, scenarios.SilentDrop{}, both...)
	expectCommands(t, multihomed, scenarios.SilentDrop{On: scenarios.SecondPath}, append([]string{"# on the firewall-2"}, both[1:]...)...)

	// Without a host between them, each end drops what arrives.
	client := append([]string{"# on the client"}, rules("to-server")...)
	server := append([]string{"# on the server"}, rules("to-client")...)
	expectCommands(t, direct, scenarios.SilentDrop{}, append(client, server...)...)
	expectCommands(t, direct, scenarios.SilentDrop{Direction: scenarios.TowardsServer}, server...)
	expectCommands(t, direct, scenarios.SilentDrop{Direction: scenarios.TowardsClient}, client...)
}

func TestTheCommandsForHostsAndPrograms(t *testing.T) {
	lab := harness.New(t, harness.Direct, sock.IPv4)
	listener := lab.Server.Listen(5000, 2)
	program := lab.Server.Start(exec.Command("sleep", "60"))

	// A backlog of 2 has room for 3 clients: Linux compares with "more than" (listen(2)).
	expectCommands(t, lab, scenarios.AcceptQueueFull{Listener: listener, Backlog: 2},
		"# on the server: a program that listens and does not accept", "kill -STOP $(pidof PROGRAM)",
		"# on the client", "for i in $(seq 3); do nc 192.0.2.20 5000 & done")
	expectCommands(t, lab, scenarios.PowerOff{Host: lab.Client},
		"# on the client (at once: no sync, no FIN)",
		"echo 1 > /proc/sys/kernel/sysrq", "echo o > /proc/sysrq-trigger   # b instead of o reboots")
	expectCommands(t, lab, scenarios.ProcessKilled{Program: program}, "kill -KILL $(pidof PROGRAM)")
	expectCommands(t, lab, scenarios.ProcessStopped{Program: program},
		"kill -STOP $(pidof PROGRAM)", "kill -CONT $(pidof PROGRAM)   # undoes it")
	expectCommands(t, lab, &scenarios.ReceiverStalls{},
		"# on the receiver: a program that is connected and does not read", "kill -STOP $(pidof PROGRAM)")
}

// From the help of toxiproxy-cli: toggle PROXY; toxic add takes the proxy's name last.
func TestTheProxysCommands(t *testing.T) {
	lab := harness.New(t, harness.Proxied, sock.IPv4)
	expectCommands(t, lab, scenarios.RouteDisabled{Port: 5000}, "# on the proxy", "toxiproxy-cli toggle port-5000")
	expectCommands(t, lab, scenarios.ProxyKilled{}, "# on the proxy", "kill -KILL $(pidof toxiproxy-server)")
	expectCommands(t, lab, scenarios.Toxic{Port: 5000, Toxic: proxy.Latency{Delay: time.Second}, Live: true},
		"# on the proxy",
		"toxiproxy-cli toxic add --type latency --toxicName latency_downstream --downstream --toxicity 1 --attribute jitter=0 --attribute latency=1000 port-5000")
}
