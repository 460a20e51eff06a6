package capture

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Frame is a packet that a host has sent or received.
type Frame struct {
	Packet
	Host   string // the name of the host, as given to Start
	Number int    // in the file that WritePcapng writes from the same captures; the first is 1
}

// Frames returns the packets of several hosts in the order in which they passed, which is that of
// WritePcapng.
func Frames(captures ...*Capture) []Frame {
	var frames []Frame
	for _, c := range captures {
		for _, p := range c.Packets() {
			frames = append(frames, Frame{Packet: p, Host: c.name})
		}
	}
	slices.SortStableFunc(frames, func(a, b Frame) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.order(), b.order())) })
	for i := range frames {
		frames[i].Number = i + 1
	}
	return frames
}

// SentAs identifies the frame on its cable: equal for the frame that leaves one end, and for the
// frame that arrives at the other end.
func (p Packet) SentAs() string { return fmt.Sprintf("%d %s", p.wire, p.data) }

// ForwardedAs identifies what a router forwards: equal for the packet that arrives, and for the
// packet that leaves with a lower hop count or with a translated address.
func (p Packet) ForwardedAs() string {
	switch {
	case p.TCP:
		return fmt.Sprintf("TCP %s %d %d %d %d", p.flags(), p.Seq, p.Ack, p.Window, p.Length)
	case p.sctp:
		var b strings.Builder
		for _, c := range p.Chunks {
			fmt.Fprintf(&b, "%v ", c)
		}
		return "SCTP " + b.String()
	}
	return p.ICMP
}
