package capture

import "net/netip"

// direction is one direction of a TCP flow on one link.
type direction struct {
	link     string
	out      bool
	src, dst netip.AddrPort
}

func (d direction) reverse() direction {
	return direction{d.link, !d.out, d.dst, d.src}
}

// progress is what one direction of a flow has sent so far.
type progress struct {
	first      uint32 // initial sequence number
	next       uint32 // the sequence number after the highest one sent
	zeroWindow bool   // the last packet advertised a window of zero
}

// flows classifies TCP packets by the packets before them.
type flows map[direction]*progress

// classify sets the role of a TCP packet, and remembers what the packet has sent.
func (f flows) classify(p *Packet) {
	d := direction{p.Link, p.Out, p.Src, p.Dst}
	own, known := f[d]
	if !known || (p.SYN && p.Seq != own.first) {
		own = &progress{first: p.Seq, next: p.Seq}
		f[d] = own
	}
	peer := f[d.reverse()]
	length := uint32(p.Length)
	if p.SYN || p.FIN {
		length++
	}
	behind := int32(p.Seq-own.next) < 0
	switch {
	case length > 0 && behind:
		p.Role = Retransmitted
	case length == 0 && p.Seq == own.next-1 && p.ACK && !p.RST && known:
		p.Role = Probe
		if peer != nil && peer.zeroWindow {
			p.Role = ZeroWindowTest
		}
	}
	if end := p.Seq + length; int32(end-own.next) > 0 {
		own.next = end
	}
	own.zeroWindow = p.Window == 0 && !p.RST
	p.first = own.first
	if p.answered = peer != nil; p.answered {
		p.peerFirst = peer.first
	}
}
