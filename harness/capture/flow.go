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

// progress is the state of one direction of a flow.
type progress struct {
	first      uint32 // initial sequence number
	next       uint32 // the sequence number after the last one sent
	zeroWindow bool   // the last packet advertised a zero window
}

// flows has the state of every direction of every flow.
type flows map[direction]*progress

// judge sets the role of a TCP packet and updates its flow.
func (f flows) judge(p *Packet) {
	d := direction{p.Link, p.Out, p.Src, p.Dst}
	this, known := f[d]
	if !known || (p.SYN && p.Seq != this.first) {
		this = &progress{first: p.Seq, next: p.Seq}
		f[d] = this
	}
	back := f[d.reverse()]
	length := uint32(p.Length)
	if p.SYN || p.FIN {
		length++
	}
	behind := int32(p.Seq-this.next) < 0
	switch {
	case length > 0 && behind:
		p.Role = Retransmitted
	case length == 0 && p.Seq == this.next-1 && p.ACK && !p.RST && known:
		p.Role = Probe
		if back != nil && back.zeroWindow {
			p.Role = ZeroWindowTest
		}
	}
	if end := p.Seq + length; int32(end-this.next) > 0 {
		this.next = end
	}
	this.zeroWindow = p.Window == 0 && !p.RST
	p.first = this.first
	if p.answers = back != nil; p.answers {
		p.peerFirst = back.first
	}
}
