package sock

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Timer is the timer that runs for a socket (inet_diag_msg.idiag_timer), in the
// words of `ss -o`.
type Timer uint8

// The timers.
const (
	NoTimer             Timer = iota
	RetransmissionTimer       // "on": retransmission, early retransmit or tail loss probe
	KeepaliveTimer            // "keepalive": keepalive, or FIN_WAIT2 of a socket without a program
	TimeWaitTimer             // "timewait"
	PersistTimer              // "persist": zero-window probe
)

// String is the timer's name as ss(8) prints it.
func (t Timer) String() string {
	names := [...]string{"none", "on", "keepalive", "timewait", "persist"}
	if int(t) < len(names) {
		return names[t]
	}
	return fmt.Sprintf("timer %d", uint8(t))
}

// Entry is what the kernel says of one TCP socket, whichever program holds it.
type Entry struct {
	Local, Remote netip.AddrPort
	State         State
	Queues        Queues // for a listener: connections waiting for accept, and the backlog
	Timer         Timer
	Expires       time.Duration // until Timer fires; the jiffies of the kernel in milliseconds
	Unanswered    int           // probes or retransmissions that had no answer
	Inode         uint32        // zero: no program holds the socket any more
	Info          *netlink.TCPInfo
}

// String is one line as `ss -tno` prints it.
func (e Entry) String() string {
	line := fmt.Sprintf("%-12s recv-q %-6d send-q %-6d %s > %s", e.State, e.Queues.Received, e.Queues.Sent, e.Local, e.Remote)
	if e.Timer != NoTimer {
		line += fmt.Sprintf(" timer:(%s,%v,%d)", e.Timer, e.Expires, e.Unanswered)
	}
	if e.Inode == 0 {
		line += " orphan"
	}
	return line
}

// Diag reads the socket table of one network namespace (sock_diag(7)).
type Diag struct{ handle *netlink.Handle }

// OpenDiag opens the socket table of the calling thread's namespace. The Diag
// may be used from any thread afterwards. It pins the namespace until Close.
func OpenDiag() (*Diag, error) {
	handle, err := netlink.NewHandle(unix.NETLINK_INET_DIAG)
	if err != nil {
		return nil, fmt.Errorf("opening the socket table (NETLINK_SOCK_DIAG): %w", err)
	}
	return &Diag{handle}, nil
}

// Close lets go of the namespace.
func (d *Diag) Close() { d.handle.Close() }

// Sockets lists every TCP socket of the namespace, of both address families,
// those without a program (TIME_WAIT, orphans) included.
func (d *Diag) Sockets() ([]Entry, error) {
	var entries []Entry
	for _, family := range []Family{IPv4, IPv6} {
		sockets, err := d.handle.SocketDiagTCPInfo(uint8(family))
		if err != nil {
			return nil, fmt.Errorf("reading the %v socket table: %w", family, err)
		}
		for _, s := range sockets {
			entries = append(entries, entryOf(s))
		}
	}
	return entries, nil
}

// Find returns the socket with these two addresses; ok is false when there is
// none: it never was, or it is gone without TIME_WAIT.
func (d *Diag) Find(local, remote netip.AddrPort) (entry Entry, ok bool, err error) {
	entries, err := d.Sockets()
	if err != nil {
		return Entry{}, false, err
	}
	for _, e := range entries {
		if e.Local == local && e.Remote == remote {
			return e, true, nil
		}
	}
	return Entry{}, false, nil
}

func entryOf(s *netlink.InetDiagTCPInfoResp) Entry {
	m := s.InetDiagMsg
	local, _ := netip.AddrFromSlice(m.ID.Source)
	remote, _ := netip.AddrFromSlice(m.ID.Destination)
	return Entry{
		Local:      netip.AddrPortFrom(local.Unmap(), m.ID.SourcePort),
		Remote:     netip.AddrPortFrom(remote.Unmap(), m.ID.DestinationPort),
		State:      State(m.State),
		Queues:     Queues{Received: int(m.RQueue), Sent: int(m.WQueue)},
		Timer:      Timer(m.Timer),
		Expires:    time.Duration(m.Expires) * time.Millisecond,
		Unanswered: int(m.Retrans),
		Inode:      m.INode,
		Info:       s.TCPInfo,
	}
}
