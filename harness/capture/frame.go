package capture

import (
	"encoding/binary"
	"time"

	"golang.org/x/sys/unix"
)

// frame is a packet as the socket returned it.
type frame struct {
	bytes   []byte // the first snap bytes of the packet, then the control messages
	n       int    // the packet's length in bytes, which may be more than snap
	control int    // the length of the control messages
	index   int    // of the link
	link    string
	out     bool
	// loopback: the packet never left the host.
	loopback bool
}

// add keeps a frame, unless it passed loopback or the capture is full. The caller holds c.mu.
func (c *Capture) add(f frame) {
	if f.loopback {
		return
	}
	if len(c.packets)+len(c.frames) == maxPackets {
		c.lost++
		return
	}
	f.link = c.link(f.index)
	c.frames = append(c.frames, f)
}

// decode turns the frames that have come into packets. The caller holds c.mu.
func (c *Capture) decode() {
	for _, f := range c.frames {
		at, wire := auxiliary(f.bytes[snap : snap+f.control])
		p := decode(f.bytes[:min(f.n, snap)], max(wire, f.n))
		p.At, p.index, p.Link, p.Out = at, f.index, f.link, f.out
		if p.TCP {
			c.flows.classify(&p)
		}
		c.packets = append(c.packets, p)
	}
	c.frames = nil
}

// auxiliary returns the time stamp and the length on the wire, in bytes, from the control
// messages of a packet (packet(7), PACKET_AUXDATA).
func auxiliary(control []byte) (at time.Time, wire int) {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return time.Time{}, 0
	}
	for _, m := range messages {
		switch {
		case m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SCM_TIMESTAMPNS && len(m.Data) >= 16:
			at = time.Unix(int64(binary.NativeEndian.Uint64(m.Data)), int64(binary.NativeEndian.Uint64(m.Data[8:])))
		case m.Header.Level == unix.SOL_PACKET && m.Header.Type == unix.PACKET_AUXDATA && len(m.Data) >= 8:
			wire = int(binary.NativeEndian.Uint32(m.Data[4:])) // tpacket_auxdata.tp_len
		}
	}
	return at, wire
}
