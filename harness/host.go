package harness

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os/exec"
	"slices"
	"strconv"
	"time"

	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	"github.com/halfopen-lab/halfopen/harness/link"
	"github.com/halfopen-lab/halfopen/harness/netns"
	"github.com/halfopen-lab/halfopen/harness/peer"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/harness/sysctl"
)

// Host is one machine of a lab: a network namespace with links, a packet filter,
// a socket table and a capture of all its packets.
type Host struct {
	name    string
	role    Role
	links   *link.Links
	rules   *firewall.Rules // the host's own packet filter
	capture *capture.Capture

	firewall *firewall.Firewall // of a firewall or a NAT; nil: the host is neither

	lab       *Lab
	ns        *netns.Namespace
	diag      *sock.Diag
	addresses map[sock.Family][]netip.Addr // one on each path, facing the client; the client's own face the server
	neighbour map[*Host]string             // name of the link to a neighbour

	conns        []*Conn
	listeners    []*Listener
	associations []*Association // and SCTP listeners
	programs     []*peer.Program
	opened       opened // by Dialer, Listener and PacketConn
}

func newHost(lab *Lab, node Node) (*Host, error) {
	ns, err := netns.New(node.Name)
	if err != nil {
		return nil, err
	}
	h := &Host{name: node.Name, role: node.Role, lab: lab, ns: ns, addresses: map[sock.Family][]netip.Addr{}, neighbour: map[*Host]string{}}
	h.opened.context, h.opened.end = context.WithCancel(context.Background())
	if err := h.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("making the host %s: %w", node.Name, err), h.close())
	}
	return h, nil
}

func (h *Host) open() error {
	err := h.ns.Do(func() (err error) {
		if err := h.pin(); err != nil {
			return err
		}
		h.diag, err = sock.OpenDiag()
		return err
	})
	if err != nil {
		return err
	}
	if h.links, err = link.Open(h.ns); err != nil {
		return err
	}
	if h.capture, err = capture.Start(h.ns, h.name); err != nil {
		return err
	}
	h.rules = firewall.NewRules(h.ns)
	return nil
}

// close lets go of everything the host holds. The namespace then disappears.
func (h *Host) close() error {
	var errs []error
	// What is closed in order may go on for minutes, and hold the namespace.
	if len(h.programs) > 0 {
		// Not every kernel can; and before 6.12 an orphan that is destroyed never goes,
		// nor the namespace with it (net/ipv4/tcp.c, tcp_abort).
		_ = h.destroyConnections(false)
	}
	for _, p := range h.programs {
		errs = append(errs, p.Close())
	}
	h.opened.end()
	h.abort()
	if h.capture != nil {
		h.capture.Close()
	}
	if h.links != nil {
		h.links.Close()
	}
	if h.diag != nil {
		h.diag.Close()
	}
	return errors.Join(append(errs, h.ns.Close())...)
}

// abort closes all sockets of the host that the lab knows, without a FIN: an orphan would
// go on sending, and hold the namespace.
func (h *Host) abort() {
	for _, l := range h.listeners {
		_ = l.Socket.Close() // closed before, or now
	}
	for _, c := range h.conns {
		_ = c.Socket.Abort()
	}
	for _, a := range h.associations {
		_ = a.Socket.Abort()
	}
	h.opened.abort()
}

// Name returns the host's name in the topology: "client", "firewall".
func (h *Host) Name() string { return h.name }

// Role returns what the host does with packets.
func (h *Host) Role() Role { return h.role }

// Links returns the host's network interfaces.
func (h *Host) Links() *link.Links { return h.links }

// Rules returns the host's own packet filter.
func (h *Host) Rules() *firewall.Rules { return h.rules }

// Firewall returns what a firewall or a NAT remembers and does; nil for other hosts.
func (h *Host) Firewall() *firewall.Firewall { return h.firewall }

// Capture returns the capture of all packets of the host.
func (h *Host) Capture() *capture.Capture { return h.capture }

// String is the host's name as specs speak of it: "the server".
func (h *Host) String() string { return "the " + h.name }

// Recent is the end of the timeline, for failure texts.
func (h *Host) Recent() string { return h.lab.Recent() }

// Address returns the host's address of the lab's family on the first path: what its peer
// connects to.
func (h *Host) Address() netip.Addr { return h.addresses[h.lab.config.Family][0] }

// Addresses returns the host's addresses of both families on the first path, IPv4 first.
func (h *Host) Addresses() []netip.Addr {
	return []netip.Addr{h.addresses[sock.IPv4][0], h.addresses[sock.IPv6][0]}
}

// AddressPort returns Address with a port.
func (h *Host) AddressPort(port uint16) netip.AddrPort { return netip.AddrPortFrom(h.Address(), port) }

// AddressPorts returns the host's addresses of the lab's family with a port, one on each path
// in the order of the paths.
func (h *Host) AddressPorts(port uint16) []netip.AddrPort {
	var all []netip.AddrPort
	for _, address := range h.addresses[h.lab.config.Family] {
		all = append(all, netip.AddrPortFrom(address, port))
	}
	return all
}

// LinkTo returns the name of the host's link to a neighbour; empty if it is none.
func (h *Host) LinkTo(neighbour *Host) string { return h.neighbour[neighbour] }

// LinkTowardsServer returns the name of the link by which the host's packets to the server
// leave; empty for the server.
func (h *Host) LinkTowardsServer() string {
	for _, path := range h.lab.paths {
		if at := slices.Index(path.Hosts, h); at >= 0 && at < len(path.Hosts)-1 {
			return h.neighbour[path.Hosts[at+1]]
		}
	}
	return ""
}

// Do runs f on a thread inside the host's namespace: sockets that f makes belong
// to the host. Goroutines that f starts do not run there, and a connection that one of
// them makes cannot leave the test: it fails with ENETUNREACH (package private). Dialer,
// Listener and PacketConn serve any goroutine.
func (h *Host) Do(f func() error) error { return h.ns.Do(f) }

// Sysctl sets one of the host's sysctls under /proc/sys/net, such as
// "ipv4/tcp_retries2", and reads it back. Setting the value it already has is not a step:
// leaving it out would change nothing.
func (h *Host) Sysctl(name string, value int) {
	h.lab.t.Helper()
	wanted := strconv.Itoa(value)
	var is string
	if err := h.ns.Do(func() (err error) { is, err = sysctl.Read("net/" + name); return err }); err == nil && is == wanted {
		return
	}
	h.lab.perform(action, fmt.Sprintf("%s sets net/%s to %d", h.name, name, value), func() error {
		return h.ns.Do(func() error { return sysctl.Write("net/"+name, wanted) })
	})
}

// LinearSYNTimeouts returns the host's tcp_syn_linear_timeouts: how many more SYNs go out
// a second apart before the intervals double. 6.1 has none: 0.
func (h *Host) LinearSYNTimeouts() int {
	h.lab.t.Helper()
	var linear int
	err := h.ns.Do(func() error {
		text, err := sysctl.Read("net/ipv4/tcp_syn_linear_timeouts")
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil {
			linear, err = strconv.Atoi(text)
		}
		return err
	})
	if err != nil {
		h.lab.t.Fatalf("%s: %v", h.name, err)
	}
	return linear
}

// Ping sends an ICMP echo request and returns how long the reply took.
func (h *Host) Ping(to netip.Addr) (took time.Duration, err error) {
	var echo *sock.Echo
	if err := h.ns.Do(func() (err error) { echo, err = sock.OpenEcho(h.lab.config.Family); return err }); err != nil {
		return 0, err
	}
	defer func() { _ = echo.Close() }()
	return echo.Ping(context.Background(), to)
}

// Start starts a program on the host. It ends with the lab.
func (h *Host) Start(cmd *exec.Cmd) *Program {
	h.lab.t.Helper()
	p, err := peer.Start(h.ns, h.name, cmd, h.lab.timeline)
	if err != nil {
		h.lab.t.Fatalf("%v", err)
	}
	h.programs = append(h.programs, p)
	return &Program{p, h}
}

// Carrier reports whether the host's link to a neighbour has a carrier.
func (h *Host) Carrier(neighbour *Host) bool {
	h.lab.t.Helper()
	up, err := h.links.Carrier(h.LinkTo(neighbour))
	if err != nil {
		h.lab.t.Fatalf("%v", err)
	}
	return up
}
