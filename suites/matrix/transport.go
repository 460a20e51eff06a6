package matrix

import (
	"net/netip"
	"time"
)

// transport is a TCP connection or an SCTP association, as a watcher uses it.
type transport interface {
	// converse exchanges a word with the peer.
	converse()
	// facts returns the two addresses, which the kernel forgets when the connection ends, and
	// the retransmission timeout in force.
	facts() (local, remote netip.AddrPort, rto time.Duration)
	// wait waits until data has arrived, until the detector is told something, or until an
	// instant. Told is what the detector was told; empty means nothing.
	wait(until time.Time) (data bool, told string)
	// send sends a message. Told is the error that the detector was told; empty means none. A
	// full queue is not an error: a program tries again later.
	send(message []byte) (sent bool, told string)
	// answered reports whether the peer answers a message promptly.
	answered() bool
}
