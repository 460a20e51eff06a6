package sock

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"
)

// Timer is the timer that runs for a socket (include/uapi/linux/inet_diag.h,
// inet_diag_msg.idiag_timer).
type Timer uint8

// The timers, with their names in ss(8).
const (
	NoTimer             Timer = iota
	RetransmissionTimer       // "on": retransmission, or tail loss probe
	KeepaliveTimer            // "keepalive": keepalive, or FIN_WAIT2 of an orphan
	TimeWaitTimer             // "timewait"
	PersistTimer              // "persist": zero-window probe
)

// String returns the timer's name in ss(8).
func (t Timer) String() string {
	names := [...]string{"none", "on", "keepalive", "timewait", "persist"}
	if int(t) < len(names) {
		return names[t]
	}
	return fmt.Sprintf("timer %d", uint8(t))
}

// Entry is a TCP socket's line in the socket table, whichever program holds the socket.
type Entry struct {
	Local, Remote netip.AddrPort
	State         State
	Queues        Queues // of a listener: connections in the accept queue, and the backlog
	Timer         Timer
	Expires       time.Duration // until Timer fires, to the jiffy
	Unanswered    int           // unanswered probes or retransmissions in a row
	RTO           time.Duration // the retransmission timeout in force (tcpi_rto); zero for a socket without a connection
	Inode         uint32        // of the socket's file; zero: no program holds the socket
	IPv6Only      bool          // a listener that takes no IPv4 connections (IPV6_V6ONLY, ipv6(7))
}

// String returns the line as `ss -tno` prints it, and "orphan" if no program holds the socket.
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

// sizeofDiag is the size of struct inet_diag_msg (include/uapi/linux/inet_diag.h), in bytes.
const sizeofDiag = 72

// entryOf decodes struct inet_diag_msg, of which b has all bytes.
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
