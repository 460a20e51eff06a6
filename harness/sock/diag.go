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

// Diag is the table of the TCP sockets of one network namespace (sock_diag(7)).
type Diag struct{ conn *netlink.Conn }

// OpenDiag opens the socket table of the calling thread's network namespace. Any thread may use the
// Diag afterwards. It pins the namespace until Close.
func OpenDiag() (*Diag, error) {
	conn, err := netlink.Dial(unix.NETLINK_SOCK_DIAG, nil)
	if err != nil {
		return nil, fmt.Errorf("opening the socket table (NETLINK_SOCK_DIAG): %w", err)
	}
	return &Diag{conn}, nil
}

// Close closes the table: it no longer pins the namespace.
func (d *Diag) Close() { _ = d.conn.Close() }

// Sockets returns every TCP socket of the namespace, of both address families. Sockets that no
// program holds (TIME_WAIT, orphans) are among them. The list may miss a socket whose state
// changes while the kernel makes the list; Find does not.
func (d *Diag) Sockets() ([]Entry, error) {
	var entries []Entry
	for _, family := range []Family{IPv4, IPv6} {
		found, err := d.request(netlink.Dump, diagRequest{family: family, states: allStates})
		if err != nil {
			return nil, fmt.Errorf("reading the %v socket table: %w", family, err)
		}
		entries = append(entries, found...)
	}
	return entries, nil
}

// Find returns the socket with these two addresses. ok is false when the kernel has no such socket:
// there never was one, or it is gone, if need be after TIME_WAIT.
func (d *Diag) Find(local, remote netip.AddrPort) (entry Entry, ok bool, err error) {
	// A lookup takes no lock. While the kernel replaces the socket by an entry for TIME_WAIT,
	// a lookup may find neither of the two, or the socket after it has left the table (seen
	// with Linux 6.18; net/ipv4/inet_timewait_sock.c, inet_twsk_hashdance_schedule). A list
	// takes the lock, and so waits until the entry is there.
	if entry, ok, err = d.lookUp(local, remote); ok || err != nil {
		return entry, ok, err
	}
	if _, err := d.Sockets(); err != nil {
		return Entry{}, false, err
	}
	return d.lookUp(local, remote)
}

// lookUp asks for the socket once.
func (d *Diag) lookUp(local, remote netip.AddrPort) (entry Entry, ok bool, err error) {
	local = netip.AddrPortFrom(local.Addr().Unmap(), local.Port())
	remote = netip.AddrPortFrom(remote.Addr().Unmap(), remote.Port())
	entries, err := d.request(0, diagRequest{family: Family(familyOf(local)), states: allStates, local: local, remote: remote})
	switch {
	case errors.Is(err, unix.ENOENT):
		return Entry{}, false, nil
	case err != nil:
		return Entry{}, false, fmt.Errorf("looking up the socket %v > %v: %w", local, remote, err)
	}
	// If there is no such connection, the kernel returns the listener. The table has no
	// sockets in CLOSE: a socket in that state has left the table since.
	if len(entries) != 1 || entries[0].Remote != remote || entries[0].State == Closed {
		return Entry{}, false, nil
	}
	return entries[0], true, nil
}

// allStates asks for sockets in any state: it has a bit for each.
const allStates = ^uint32(0)

// diagRequest is struct inet_diag_req_v2 (include/uapi/linux/inet_diag.h).
type diagRequest struct {
	family        Family
	states        uint32
	local, remote netip.AddrPort // the zero value in a request for all sockets
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

// padded returns an address in the 16 bytes of a request.
func padded(a netip.Addr) []byte {
	b := make([]byte, 16)
	copy(b, a.AsSlice())
	return b
}

// Destroy makes the kernel forget a connection, as `ss -K` does (SOCK_DESTROY): its program gets
// ECONNABORTED, and the kernel sends its peer an RST. A connection that is gone already is no
// error. Some kernels keep a connection that no program holds (net/ipv4/tcp.c, tcp_abort).
func (d *Diag) Destroy(e Entry) error {
	r := diagRequest{family: Family(familyOf(e.Local)), states: allStates, local: e.Local, remote: e.Remote}
	_, err := d.conn.Execute(netlink.Message{
		Header: netlink.Header{Type: unix.SOCK_DESTROY, Flags: netlink.Request | netlink.Acknowledge},
		Data:   r.bytes(),
	})
	if errors.Is(err, unix.EOPNOTSUPP) {
		return fmt.Errorf("destroying the socket %v > %v: %w: the kernel is built without CONFIG_INET_DIAG_DESTROY: use one that has it, as Debian's do, or run it in virtual time", e.Local, e.Remote, err)
	}
	if err != nil && !errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("destroying the socket %v > %v: %w", e.Local, e.Remote, err)
	}
	return nil
}

// diagInfo is INET_DIAG_INFO (include/uapi/linux/inet_diag.h): the attribute with struct tcp_info.
const diagInfo = 2

// diagIPv6Only is INET_DIAG_SKV6ONLY: the attribute of an IPv6 listener.
const diagIPv6Only = 11

// request sends a request and decodes the kernel's answers.
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
	return entriesOf(messages)
}

// entriesOf decodes the kernel's answers.
func entriesOf(messages []netlink.Message) (entries []Entry, err error) {
	for _, m := range messages {
		if len(m.Data) < sizeofDiag {
			return nil, fmt.Errorf("the kernel's answer has %d bytes, fewer than struct inet_diag_msg", len(m.Data))
		}
		entry := entryOf(m.Data)
		attributes, err := netlink.UnmarshalAttributes(m.Data[sizeofDiag:])
		if err != nil {
			return nil, fmt.Errorf("decoding the attributes of the kernel's answer: %w", err)
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
