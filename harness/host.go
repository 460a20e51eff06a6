package harness

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os/exec"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

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
	Name    string
	Links   *link.Links
	Rules   *firewall.Rules // the host's own packet filter
	Capture *capture.Capture

	lab       *Lab
	ns        *netns.Namespace
	diag      *sock.Diag
	addresses map[sock.Family][]netip.Addr // one on each path, facing the client; the client's own face the server
	towards   map[string]string            // neighbouring host → link to it

	conns        []*Conn
	listeners    []*Listener
	associations []*Association // and SCTP listeners
	programs     []*peer.Program
}

func newHost(lab *Lab, name string) (*Host, error) {
	ns, err := netns.New(name)
	if err != nil {
		return nil, err
	}
	h := &Host{Name: name, lab: lab, ns: ns, addresses: map[sock.Family][]netip.Addr{}, towards: map[string]string{}}
	if err := h.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("making the host %s: %w", name, err), h.close())
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
	if h.Links, err = link.Open(h.ns); err != nil {
		return err
	}
	if h.Capture, err = capture.Start(h.ns, h.Name); err != nil {
		return err
	}
	h.Rules = firewall.NewRules(h.ns)
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
	for _, l := range h.listeners {
		_ = l.Close() // closed before, or now
	}
	for _, c := range h.conns {
		_ = c.Conn.Abort()
	}
	for _, a := range h.associations {
		_ = a.SCTP.Abort()
	}
	if h.Capture != nil {
		h.Capture.Close()
	}
	if h.Links != nil {
		h.Links.Close()
	}
	if h.diag != nil {
		h.diag.Close()
	}
	return errors.Join(append(errs, h.ns.Close())...)
}

// Address is the host's address of the lab's family on the first path: what its peer
// connects to.
func (h *Host) Address() netip.Addr { return h.addresses[h.lab.Family][0] }

// Addresses are the host's addresses of both families on the first path, IPv4 first.
func (h *Host) Addresses() []netip.Addr {
	return []netip.Addr{h.addresses[sock.IPv4][0], h.addresses[sock.IPv6][0]}
}

// AddressPort is Address with a port.
func (h *Host) AddressPort(port uint16) netip.AddrPort { return netip.AddrPortFrom(h.Address(), port) }

// AddressPorts are the host's addresses of the lab's family with a port, one on each path
// in the order of the paths.
func (h *Host) AddressPorts(port uint16) []netip.AddrPort {
	var all []netip.AddrPort
	for _, address := range h.addresses[h.lab.Family] {
		all = append(all, netip.AddrPortFrom(address, port))
	}
	return all
}

// LinkTo is the name of the host's link to a neighbour.
func (h *Host) LinkTo(neighbour *Host) string { return h.towards[neighbour.Name] }

// Do runs f on a thread inside the host's namespace: sockets that f makes belong
// to the host.
func (h *Host) Do(f func() error) error { return h.ns.Do(f) }

// Sysctl sets one of the host's sysctls under /proc/sys/net, such as
// "ipv4/tcp_retries2", and reads it back. Setting the value that it already has is not a
// step: leaving it out would change nothing.
func (h *Host) Sysctl(name string, value int) {
	h.lab.t.Helper()
	wanted := strconv.Itoa(value)
	var is string
	if err := h.ns.Do(func() (err error) { is, err = sysctl.Read("net/" + name); return err }); err == nil && is == wanted {
		return
	}
	h.lab.perform(action, fmt.Sprintf("%s sets net/%s to %d", h.Name, name, value), func() error {
		return h.ns.Do(func() error { return sysctl.Write("net/"+name, wanted) })
	})
}

// LinearSYNTimeouts is the host's tcp_syn_linear_timeouts: how many more SYNs go out
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
		h.lab.t.Fatalf("%s: %v", h.Name, err)
	}
	return linear
}

// Sockets is the host's socket table, whichever program holds the sockets.
func (h *Host) Sockets() []sock.Entry {
	h.lab.t.Helper()
	entries, err := h.diag.Sockets()
	if err != nil {
		h.lab.t.Fatalf("%s: %v", h.Name, err)
	}
	return entries
}

// States are the TCP states of the host's sockets.
func (h *Host) States() []sock.State {
	h.lab.t.Helper()
	var states []sock.State
	for _, entry := range h.Sockets() {
		states = append(states, entry.State)
	}
	return states
}

// Count is how many of the host's sockets are in a TCP state.
func (h *Host) Count(state sock.State) (n int) {
	h.lab.t.Helper()
	for _, s := range h.States() {
		if s == state {
			n++
		}
	}
	return n
}

// Ping sends an ICMP echo request and returns how long the reply took.
func (h *Host) Ping(to netip.Addr) (took time.Duration, err error) {
	var echo *sock.Echo
	if err := h.ns.Do(func() (err error) { echo, err = sock.OpenEcho(h.lab.Family); return err }); err != nil {
		return 0, err
	}
	defer func() { _ = echo.Close() }()
	return echo.Ping(context.Background(), to)
}

// Socket is the entry of one connection in the host's socket table; ok is false
// when the kernel knows no such socket.
func (h *Host) Socket(local, remote netip.AddrPort) (entry sock.Entry, ok bool) {
	h.lab.t.Helper()
	entry, ok, err := h.diag.Find(local, remote)
	if err != nil {
		h.lab.t.Fatalf("%s: %v", h.Name, err)
	}
	return entry, ok
}

// TableEntry is a connection of the host as its socket table has it, whichever
// program holds it.
func (h *Host) TableEntry(local, remote netip.AddrPort) *TableEntry {
	return &TableEntry{h, "socket of " + h.Name, local, remote}
}

// Start starts a program on the host. It ends with the lab.
func (h *Host) Start(cmd *exec.Cmd) *Program {
	h.lab.t.Helper()
	p, err := peer.Start(h.ns, h.Name, cmd, h.lab.Timeline)
	if err != nil {
		h.lab.t.Fatalf("%v", err)
	}
	h.programs = append(h.programs, p)
	return &Program{p, h}
}

// Sent are the packets that the host has sent and that match. What a program has written
// before is among them: Sent waits for as long as the host's links keep it.
func (h *Host) Sent(match capture.Match) []capture.Packet {
	time.Sleep(h.lab.delay)
	return h.Capture.Find(capture.All(capture.Outgoing, match))
}

// AwaitSent waits until the host has sent as many packets that match as count, at the
// latest until an instant, and returns all that it has.
func (h *Host) AwaitSent(count int, match capture.Match, until time.Time) []capture.Packet {
	return h.Capture.Await(count, capture.All(capture.Outgoing, match), until)
}

// SentBy are the packets that one connection of the host has sent and that match.
func (h *Host) SentBy(c *Conn, match capture.Match) []capture.Packet {
	return h.Sent(capture.All(capture.From(c.Local()), match))
}

// Received are the packets that have arrived at the host and that match.
func (h *Host) Received(match capture.Match) []capture.Packet {
	return h.Capture.Find(capture.All(capture.Incoming, match))
}

// AwaitReceived is AwaitSent for the packets that have arrived at the host.
func (h *Host) AwaitReceived(count int, match capture.Match, until time.Time) []capture.Packet {
	return h.Capture.Await(count, capture.All(capture.Incoming, match), until)
}

// String is the host's name as specs speak of it: "the server".
func (h *Host) String() string { return "the " + h.Name }

// Recent is the end of the timeline, for failure texts.
func (h *Host) Recent() string { return h.lab.Recent() }

// Carrier says whether the host's link to a neighbour has a carrier.
func (h *Host) Carrier(neighbour *Host) bool {
	h.lab.t.Helper()
	up, err := h.Links.Carrier(h.LinkTo(neighbour))
	if err != nil {
		h.lab.t.Fatalf("%v", err)
	}
	return up
}

// Listen makes a listening socket on the host's address. A zero port lets the
// kernel choose.
func (h *Host) Listen(port uint16, backlog int) *Listener {
	h.lab.t.Helper()
	var l *sock.Listener
	local := netip.AddrPortFrom(h.Address(), port)
	err := h.ns.Do(func() (err error) {
		l, err = sock.Listen(local, backlog)
		return err
	})
	if errors.Is(err, unix.EADDRINUSE) {
		err = fmt.Errorf("%w: another socket of %s holds the port", err, h.Name)
	}
	if err != nil {
		h.lab.t.Fatalf("listening on %v of %s: %v", local, h.Name, err)
	}
	listener := &Listener{Listener: l, Host: h}
	h.listeners = append(h.listeners, listener)
	return listener
}

// NewSocket makes an unconnected TCP socket on the host; its name appears in the
// timeline.
func (h *Host) NewSocket(name string) *Conn {
	h.lab.t.Helper()
	var c *sock.Conn
	err := h.ns.Do(func() (err error) {
		c, err = sock.Socket(h.lab.Family)
		return err
	})
	if err != nil {
		h.lab.t.Fatalf("making a socket on %s: %v", h.Name, err)
	}
	return h.adopt(c, name)
}

func (h *Host) adopt(c *sock.Conn, name string) *Conn {
	conn := &Conn{Conn: c, end: end{h, name}}
	h.conns = append(h.conns, conn)
	return conn
}
