package errno

import (
	"fmt"
	"runtime"
	"strings"

	. "github.com/onsi/gomega"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	"github.com/halfopen-lab/halfopen/harness/sysctl"
)

// situation is a fault inside a host that only this family of specs needs, such as a full
// queue or a port in use.
type situation struct {
	what   string
	byHand string // the shell command that does the same
	arise  func() error
}

// String implements harness.Fault.
func (s situation) String() string { return s.what }

// Apply implements harness.Fault.
func (s situation) Apply(*harness.Lab) error { return s.arise() }

// Commands implements harness.Fault.
func (s situation) Commands(*harness.Lab) []string { return []string{s.byHand} }

// linkDown takes the client's own link down, as its administrator can.
func linkDown(lab *harness.Lab) situation {
	link := lab.Client.LinkTo(lab.Hosts()[1])
	return situation{
		what:   "the client's link is taken down",
		byHand: fmt.Sprintf("ip link set %s down", link),
		arise:  func() error { return lab.Client.Links().Down(link) },
	}
}

// routeOf gives the client a route to the server whose type forwards nothing (ip-route(8)).
func routeOf(lab *harness.Lab, kind int, name string) situation {
	to := lab.Server.Address()
	return situation{
		what:   fmt.Sprintf("the client has a route of type %s to the server", name),
		byHand: fmt.Sprintf("ip route add %s %v", name, to),
		arise: func() error {
			return lab.Client.Do(func() error {
				return netlink.RouteReplace(&netlink.Route{Dst: netlink.NewIPNet(to.AsSlice()), Type: kind})
			})
		},
	}
}

// queueFull makes the queue of the client's link refuse every packet.
func queueFull(lab *harness.Lab) situation {
	link := lab.Client.LinkTo(lab.Hosts()[1])
	return situation{
		what:   "the queue of the client's link is full",
		byHand: fmt.Sprintf("tc qdisc replace dev %s root pfifo limit 0", link),
		arise: func() error {
			return lab.Client.Do(func() error {
				found, err := netlink.LinkByName(link)
				if err != nil {
					return err
				}
				request := nl.NewNetlinkRequest(unix.RTM_NEWQDISC, unix.NLM_F_CREATE|unix.NLM_F_REPLACE|unix.NLM_F_ACK)
				request.AddData(&nl.TcMsg{Ifindex: int32(found.Attrs().Index), Parent: netlink.HANDLE_ROOT})
				request.AddData(nl.NewRtAttr(nl.TCA_KIND, nl.ZeroTerminated("pfifo")))
				request.AddData(nl.NewRtAttr(nl.TCA_OPTIONS, make([]byte, 4))) // struct tc_fifo_qopt: limit 0
				_, err = request.Execute(unix.NETLINK_ROUTE, 0)
				return err
			})
		},
	}
}

// ownFirewall makes the client itself drop what it sends to the server, over udp or tcp.
func ownFirewall(lab *harness.Lab, protocol string) situation {
	rule := firewall.Filter(fmt.Sprintf("-A OUTPUT -p %s --dport 5000 -j DROP", protocol))
	const what firewall.Named = "a firewall rule on the client drops what it sends to the server"
	return situation{
		what:   what.String(),
		byHand: strings.Join(firewall.Commands(rule), "; "),
		arise:  func() error { return lab.Client.Rules().Set(what, rule) },
	}
}

// answered makes the firewall answer a SYN with an ICMP error that iptables' REJECT does not
// have.
func answered(lab *harness.Lab, syn capture.Packet, kind, code uint8) situation {
	forged := firewall.ICMPError{Router: lab.Hosts()[1].Address(), Type: kind, Code: code, From: syn.Src, To: syn.Dst, Seq: syn.Seq}
	ip, icmp := "IP", fmt.Sprintf("ICMP(type=%d, code=%d)", kind, code)
	if syn.Src.Addr().Is6() {
		ip, icmp = "IPv6", fmt.Sprintf("ICMPv6Unknown(type=%d, code=%d)/Raw(bytes(4))", kind, code)
	}
	return situation{
		what: fmt.Sprintf("the firewall answers with ICMP type %d, code %d", kind, code),
		byHand: fmt.Sprintf(`echo 'send(%[1]s(dst="%[3]v")/%[2]s/%[1]s(src="%[3]v", dst="%[4]v")/TCP(sport=%[5]d, dport=%[6]d, seq=%[7]d))' | scapy`,
			ip, icmp, syn.Src.Addr(), syn.Dst.Addr(), syn.Src.Port(), syn.Dst.Port(), syn.Seq),
		arise: func() error { return lab.Firewall().Forge(forged) },
	}
}

// portServed makes another program of the server listen on port 5000.
func portServed(lab *harness.Lab) situation {
	return situation{
		what:   "another program listens on the port",
		byHand: "nc -l 5000",
		arise: func() error {
			lab.Server.Listen(5000, 1)
			return nil
		},
	}
}

// portsTaken leaves the client two ephemeral ports, and lets sockets take both.
func portsTaken(lab *harness.Lab, take func(*harness.Conn) error) situation {
	const ports = "40000 40001"
	return situation{
		what:   "every ephemeral port of the client is in use",
		byHand: fmt.Sprintf("sysctl net.ipv4.ip_local_port_range=%q", ports),
		arise: func() error {
			err := lab.Client.Do(func() error { return sysctl.Write("net/ipv4/ip_local_port_range", ports) })
			if err != nil {
				return err
			}
			for _, port := range strings.Fields(ports) {
				if err := take(lab.Client.NewSocket("a socket on " + port)); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

// withoutDescriptors returns what a call returns while this process may not open another
// descriptor. Open descriptors stay open.
func withoutDescriptors(lab *harness.Lab, call func() error) error {
	var before unix.Rlimit
	Expect(unix.Prlimit(0, unix.RLIMIT_NOFILE, nil, &before)).To(Succeed())
	defer func() { Expect(unix.Prlimit(0, unix.RLIMIT_NOFILE, &before, nil)).To(Succeed()) }()
	lab.Apply(situation{
		what:   "the program may not open another descriptor",
		byHand: "ulimit -n 0",
		arise: func() error {
			return unix.Prlimit(0, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: 0, Max: before.Max}, nil)
		},
	})
	return call()
}

// withoutPrivilegedPorts returns what a call returns while the calling thread does not have
// CAP_NET_BIND_SERVICE.
func withoutPrivilegedPorts(lab *harness.Lab, call func() error) error {
	const capability = unix.CAP_NET_BIND_SERVICE
	runtime.LockOSThread() // each thread has its own capabilities
	defer runtime.UnlockOSThread()
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var before [2]unix.CapUserData
	Expect(unix.Capget(&header, &before[0])).To(Succeed())
	defer func() { Expect(unix.Capset(&header, &before[0])).To(Succeed()) }()
	lab.Apply(situation{
		what:   "the program has no CAP_NET_BIND_SERVICE",
		byHand: "setpriv --bounding-set -net_bind_service PROGRAM",
		arise: func() error {
			without := before
			without[capability/32].Effective &^= 1 << (capability % 32)
			return unix.Capset(&header, &without[0])
		},
	})
	return call()
}
