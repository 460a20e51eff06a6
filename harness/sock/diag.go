package sock

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/mdlayher/netlink"
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
	RTO           time.Duration // the retransmission timeout in force (tcpi_rto); zero: of no connection
	Inode         uint32        // zero: no program holds the socket any more
	IPv6Only      bool          // a listener that takes no IPv4 connections (IPV6_V6ONLY, ipv6(7))
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
type Diag struct{ conn *netlink.Conn }

// OpenDiag opens the socket table of the calling thread's namespace. The Diag
// may be used from any thread afterwards. It pins the namespace until Close.
func OpenDiag() (*Diag, error) {
	conn, err := netlink.Dial(unix.NETLINK_SOCK_DIAG, nil)
	if err != nil {
		return nil, fmt.Errorf("opening the socket table (NETLINK_SOCK_DIAG): %w", err)
	}
	return &Diag{conn}, nil
}

// Close lets go of the namespace.
func (d *Diag) Close() { _ = d.conn.Close() }

// Sockets lists every TCP socket of the namespace, of both address families,
// those without a program (TIME_WAIT, orphans) included. A socket that changes its
// state while the list is made may be missing from it; Find does not miss one.
func (d *Diag) Sockets() ([]Entry, error) {
	var entries []Entry
	for _, family := range []Family{IPv4, IPv6} {
		some, err := d.request(netlink.Dump, diagRequest{family: family, states: allStates})
		if err != nil {
			return nil, fmt.Errorf("reading the %v socket table: %w", family, err)
		}
		entries = append(entries, some...)
	}
	return entries, nil
}

// Find returns the socket with these two addresses; ok is false when there is
// none: it never was, or it is gone, without TIME_WAIT or after it.
func (d *Diag) Find(local, remote netip.AddrPort) (entry Entry, ok bool, err error) {
	// A lookup takes no lock. While an entry for TIME_WAIT takes the socket's place it may
	// come upon neither of the two, or upon the socket when that has left the table (seen
	// with Linux 6.18; net/ipv4/inet_timewait_sock.c, inet_twsk_hashdance_schedule). A list
	// does take the lock, and so waits until the entry is there.
	if entry, ok, err = d.lookUp(local, remote); ok || err != nil {
		return entry, ok, err
	}
	if _, err := d.Sockets(); err != nil {
		return Entry{}, false, err
	}
	return d.lookUp(local, remote)
}

// lookUp is one look for the socket.
func (d *Diag) lookUp(local, remote netip.AddrPort) (entry Entry, ok bool, err error) {
	local = netip.AddrPortFrom(local.Addr().Unmap(), local.Port())
	remote = netip.AddrPortFrom(remote.Addr().Unmap(), remote.Port())
	entries, err := d.request(0, diagRequest{family: Family(familyOf(local)), states: allStates, local: local, remote: remote})
	switch {
	case errors.Is(err, unix.ENOENT):
		return Entry{}, false, nil
	case err != nil:
		return Entry{}, false, fmt.Errorf("looking for the socket %v > %v: %w", local, remote, err)
	}
	// Where there is no such connection the kernel gives the listener. The table has no
	// socket in CLOSE: one that is found so has left it since.
	if len(entries) != 1 || entries[0].Remote != remote || entries[0].State == Closed {
		return Entry{}, false, nil
	}
	return entries[0], true, nil
}

// allStates asks for sockets in any state (a bit for each).
const allStates = ^uint32(0)

// diagRequest is struct inet_diag_req_v2 (include/uapi/linux/inet_diag.h).
type diagRequest struct {
	family        Family
	states        uint32
	local, remote netip.AddrPort // invalid in a request for all
}

func (r diagRequest) bytes() []byte {
	b := []byte{byte(r.family), unix.IPPROTO_TCP, 1 << (diagInfo - 1), 0}
	b = binary.NativeEndian.AppendUint32(b, r.states)
	b = binary.BigEndian.AppendUint16(b, r.local.Port())
	b = binary.BigEndian.AppendUint16(b, r.remote.Port())
	b = append(b, padded(r.local.Addr())...)
	b = append(b, padded(r.remote.Addr())...)
	b = binary.NativeEndian.AppendUint32(b, 0)             // any link
	return binary.NativeEndian.AppendUint64(b, ^uint64(0)) // INET_DIAG_NOCOOKIE
}

// padded is an address in the 16 bytes that the request has for it.
func padded(a netip.Addr) []byte {
	b := make([]byte, 16)
	copy(b, a.AsSlice())
	return b
}

// Destroy makes the kernel forget a connection (SOCK_DESTROY, as `ss -K` does): its
// program gets ECONNABORTED, its peer an RST if the path carries one. A connection
// that is gone already is no error. One that no program holds any more stays on some
// kernels (net/ipv4/tcp.c, tcp_abort).
func (d *Diag) Destroy(e Entry) error {
	r := diagRequest{family: Family(familyOf(e.Local)), states: allStates, local: e.Local, remote: e.Remote}
	_, err := d.conn.Execute(netlink.Message{
		Header: netlink.Header{Type: unix.SOCK_DESTROY, Flags: netlink.Request | netlink.Acknowledge},
		Data:   r.bytes(),
	})
	if errors.Is(err, unix.EOPNOTSUPP) {
		return fmt.Errorf("destroying the socket %v > %v: %w: the kernel has no CONFIG_INET_DIAG_DESTROY: use one that has it, as Debian's do, or run it in virtual time", e.Local, e.Remote, err)
	}
	if err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("destroying the socket %v > %v: %w", e.Local, e.Remote, err)
	}
	return nil
}

// diagInfo asks for struct tcp_info, and is the type of the attribute that has it
// (include/uapi/linux/inet_diag.h, INET_DIAG_INFO).
const diagInfo = 2

// diagIPv6Only is the type of the attribute of a listener of IPv6 (INET_DIAG_SKV6ONLY).
const diagIPv6Only = 11

// sizeofDiag is the size of struct inet_diag_msg.
const sizeofDiag = 72

func (d *Diag) request(flags netlink.HeaderFlags, r diagRequest) ([]Entry, error) {
	messages, err := d.conn.Execute(netlink.Message{
		Header: netlink.Header{Type: unix.SOCK_DIAG_BY_FAMILY, Flags: netlink.Request | flags},
		Data:   r.bytes(),
	})
	if err != nil {
		if errno, ok := errors.AsType[unix.Errno](err); ok {
			err = errno
		}
		return nil, err
	}
	var entries []Entry
	for _, m := range messages {
		if len(m.Data) < sizeofDiag {
			return nil, fmt.Errorf("the kernel's answer has %d bytes, fewer than struct inet_diag_msg", len(m.Data))
		}
		entry := entryOf(m.Data)
		attributes, err := netlink.UnmarshalAttributes(m.Data[sizeofDiag:])
		if err != nil {
			return nil, fmt.Errorf("reading the attributes of the kernel's answer: %w", err)
		}
		for _, a := range attributes {
			switch {
			case a.Type == diagInfo && len(a.Data) >= 12: // struct tcp_info
				entry.RTO = time.Duration(binary.NativeEndian.Uint32(a.Data[8:])) * time.Microsecond
			case a.Type == diagIPv6Only && len(a.Data) >= 1:
				entry.IPv6Only = a.Data[0] != 0
			}
		}
		entries = append(entries, entry)
	}
	return entries, nil
}

// entryOf reads struct inet_diag_msg.
func entryOf(b []byte) Entry {
	size := 16
	if Family(b[0]) == IPv4 {
		size = 4
	}
	local, _ := netip.AddrFromSlice(b[8 : 8+size])
	remote, _ := netip.AddrFromSlice(b[24 : 24+size])
	number := func(at int) int { return int(binary.NativeEndian.Uint32(b[at:])) }
	return Entry{
		State:      State(b[1]),
		Timer:      Timer(b[2]),
		Unanswered: int(b[3]),
		Local:      netip.AddrPortFrom(local.Unmap(), binary.BigEndian.Uint16(b[4:])),
		Remote:     netip.AddrPortFrom(remote.Unmap(), binary.BigEndian.Uint16(b[6:])),
		Expires:    time.Duration(number(52)) * time.Millisecond,
		Queues:     Queues{Received: number(56), Sent: number(60)},
		Inode:      uint32(number(68)),
	}
}
