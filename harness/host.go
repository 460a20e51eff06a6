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
	"sync"
	"time"

	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	"github.com/halfopen-lab/halfopen/harness/link"
	"github.com/halfopen-lab/halfopen/harness/netns"
	"github.com/halfopen-lab/halfopen/harness/peer"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/harness/sysctl"
)

// Host is a machine of a lab: a network namespace with links, a packet filter, a socket table and a
// capture of its packets.
type Host struct {
	name    string
	role    Role
	links   *link.Links
	rules   *firewall.Rules // the host's own packet filter
	capture *capture.Capture

	firewall *firewall.Firewall // nil: the host is neither a firewall nor a NAT

	lab       *Lab
	ns        *netns.Namespace
	diag      *sock.Diag
	addresses map[sock.Family][]netip.Addr // one on each path, on the link towards the client; the client's, towards the server
	neighbour map[*Host]string             // the name of the link to a neighbour

	adopting     sync.Mutex
	conns        []*Conn        // under adopting
	associations []*Association // under adopting; SCTP listeners among them
	listeners    []*Listener
	programs     []*peer.Program
	sockets      netSockets // of Dialer, Listener and PacketConn
}

func newHost(lab *Lab, node Node) (*Host, error) {
	ns, err := netns.New(node.Name)
	if err != nil {
		return nil, err
	}
	h := &Host{name: node.Name, role: node.Role, lab: lab, ns: ns, addresses: map[sock.Family][]netip.Addr{}, neighbour: map[*Host]string{}}
	h.sockets.context, h.sockets.end = context.WithCancel(context.Background())
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

// close ends everything on the host and closes all that holds its namespace, which then disappears.
func (h *Host) close() error {
	var errs []error
	// The kernel may keep connections that a program closes for minutes, and they would hold
	// the namespace: destroy them first.
	if len(h.programs) > 0 {
		// Not every kernel can destroy them. Orphans stay: before 6.12 an orphan that is
		// destroyed never goes, and its namespace neither (net/ipv4/tcp.c, tcp_abort).
		_ = h.destroyConnections(false)
	}
	for _, p := range h.programs {
		errs = append(errs, p.Close())
	}
	h.sockets.end()
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

// abort closes all sockets that this process has on the host, without a FIN: orphans would go on
// sending, and hold the namespace.
func (h *Host) abort() {
	for _, l := range h.listeners {
		_ = l.Socket.Close() // closed before, or now
	}
	for _, c := range h.adopted() {
		_ = c.Socket.Abort()
	}
	for _, a := range h.adoptedAssociations() {
		_ = a.Socket.Abort()
	}
	h.sockets.abort()
}

// Name returns the host's name in the topology: "client", "firewall".
func (h *Host) Name() string { return h.name }

// Role returns the host's role.
func (h *Host) Role() Role { return h.role }

// Links returns the host's network interfaces.
func (h *Host) Links() *link.Links { return h.links }

// Rules returns the host's packet filter.
func (h *Host) Rules() *firewall.Rules { return h.rules }

// Firewall returns the connection tracking of a firewall or a NAT; nil for other hosts.
func (h *Host) Firewall() *firewall.Firewall { return h.firewall }

// Capture returns the capture of the host's packets.
func (h *Host) Capture() *capture.Capture { return h.capture }

// String returns the host's name for failure texts: "the server".
func (h *Host) String() string { return "the " + h.name }

// Recent returns the last events of the lab's timeline, for failure texts.
func (h *Host) Recent() string { return h.lab.Recent() }

// Address returns the host's address of the lab's family on the first path: the one that its peer
// connects to.
func (h *Host) Address() netip.Addr { return h.addresses[h.lab.config.Family][0] }

// Addresses returns the host's addresses on the first path: IPv4, IPv6.
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

// LinkTo returns the name of the host's link to a neighbour; "" if they are not neighbours.
func (h *Host) LinkTo(neighbour *Host) string { return h.neighbour[neighbour] }

// LinkTowardsServer returns the name of the link by which the host sends packets to the server, on the
// first of its paths; "" for the server.
func (h *Host) LinkTowardsServer() string {
	for _, path := range h.lab.paths {
		if at := slices.Index(path.Hosts, h); at >= 0 && at < len(path.Hosts)-1 {
			return h.neighbour[path.Hosts[at+1]]
		}
	}
	return ""
}

// Do calls f on a thread in the host's network namespace and returns its error: sockets that f makes
// belong to the host. Goroutines that f starts run in another namespace, which has no network
// (package private): their connections fail with ENETUNREACH. Dialer, Listener and PacketConn work in
// any goroutine.
func (h *Host) Do(f func() error) error { return h.ns.Do(f) }

// Sysctl sets a sysctl of the host under /proc/sys/net, such as "ipv4/tcp_retries2", and reads it back.
// It fails the step if the kernel has no such sysctl or refuses the value. Setting the value it already
// has is not a step: leaving it out would change nothing.
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

// LinearSYNTimeouts returns the host's tcp_syn_linear_timeouts: how many retransmissions of a SYN wait
// 1 s each before the intervals double. It is 0 for kernels before 6.5, which have no such sysctl. It
// fails the step if the sysctl cannot be read.
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

// Ping sends an ICMP echo request of the lab's family and returns how long the reply took. The error
// wraps context.DeadlineExceeded if none has come within 1 s.
func (h *Host) Ping(to netip.Addr) (took time.Duration, err error) {
	var echo *sock.Echo
	if err := h.ns.Do(func() (err error) { echo, err = sock.OpenEcho(h.lab.config.Family); return err }); err != nil {
		return 0, err
	}
	defer func() { _ = echo.Close() }()
	return echo.Ping(context.Background(), to)
}

// Start starts a program on the host. It fails the step if the program cannot be started. The program is
// killed when the lab is closed.
func (h *Host) Start(cmd *exec.Cmd) *Program {
	h.lab.t.Helper()
	p, err := peer.Start(h.ns, h.name, cmd, h.lab.timeline)
	if err != nil {
		h.lab.t.Fatalf("%v", err)
	}
	h.programs = append(h.programs, p)
	return &Program{p, h}
}

// Carrier reports whether the host's link to a neighbour has a carrier. It fails the step if they are not
// neighbours.
func (h *Host) Carrier(neighbour *Host) bool {
	h.lab.t.Helper()
	up, err := h.links.Carrier(h.LinkTo(neighbour))
	if err != nil {
		h.lab.t.Fatalf("%v", err)
	}
	return up
}
