package ladder

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/timeline"
)

// Source is what was observed of a lab.
type Source struct {
	Title    string
	Hosts    []Observed // from the client to the server
	Timeline *timeline.Timeline
	Ended    time.Time // when all of this was observed
}

// Observed is what was observed of a host.
type Observed struct {
	Host
	Capture    *capture.Capture
	Neighbours map[string]string // the host at the other end of each link, by the link's name
	Addresses  []netip.Addr      // of the host itself
	Forwards   bool              // it is a router
}

// Draw returns the ladder of a lab. It has the TCP, SCTP and ICMP packets of all hosts, and all
// other events of the timeline.
func Draw(s Source) *Ladder {
	l := &Ladder{Title: s.Title}
	var captures []*capture.Capture
	for _, h := range s.Hosts {
		l.Hosts = append(l.Hosts, h.Host)
		captures = append(captures, h.Capture)
	}
	w := ways{hosts: s.Hosts, sent: map[string][]*way{}, arrived: map[string][]*way{}}
	frames := capture.Frames(captures...)
	for _, f := range frames {
		if f.TCP || len(f.Chunks) > 0 || f.ICMP != "" {
			w.add(f)
		}
	}
	start := s.Timeline.Start().Round(0) // packets have no monotonic reading, and one clock must measure all
	for _, way := range w.all {
		l.Rungs = append(l.Rungs, way.rung(s.Hosts, start))
	}
	l.Ended = s.Ended.Round(0).Sub(start)
	events := s.Timeline.Events()
	for _, e := range append(expiries(frames, events), events...) {
		if e.Kind == timeline.Packet {
			continue
		}
		r := Rung{At: e.At.Round(0).Sub(start), Kind: Kind(e.Kind), Host: w.column(e.Who), Text: e.What, Subject: e.Subject, State: e.State}
		switch {
		case e.Expires.IsZero():
		case e.State == "": // it has expired
			r.Expires = e.Expires.Sub(e.At)
		default:
			r.Expires = e.Expires.Round(0).Sub(start)
		}
		if e.Kind == timeline.Verdict {
			r.Opens, r.Closes = e.From.Round(0).Sub(start), e.To.Round(0).Sub(start)
		}
		l.Rungs = append(l.Rungs, r)
	}
	// A program sends a packet before it says so: packets are first among equals.
	slices.SortStableFunc(l.Rungs, func(a, b Rung) int { return cmp.Compare(a.At, b.At) })
	return l
}

// Of returns the story of one flow, between two addresses as one of its ends has them, with the
// steps of the test. The ladder must come from Draw: Parse does not know the flows of packets.
func (l *Ladder) Of(title string, a, b netip.AddrPort) *Ladder {
	flow := &Ladder{Title: title, Ended: l.Ended}
	there, back := [2]netip.AddrPort{a, b}, [2]netip.AddrPort{b, a}
	ends := map[[2]netip.AddrPort]bool{there: true, back: true} // also those that a NAT has translated
	for _, r := range l.Rungs {
		switch {
		case r.Arrow == nil && r.Kind == Kind(timeline.Step) && r.Host == Everyone:
			flow.Rungs = append(flow.Rungs, r)
		case r.Arrow != nil && (slices.Contains(r.ends, there) || slices.Contains(r.ends, back)):
			flow.Rungs = append(flow.Rungs, r)
			for _, end := range r.ends {
				ends[end] = true
			}
		}
	}
	for _, h := range l.Hosts {
		h.Sockets = slices.DeleteFunc(slices.Clone(h.Sockets), func(s Socket) bool {
			return !ends[[2]netip.AddrPort{s.Local, s.Remote}] && !ends[[2]netip.AddrPort{s.Remote, s.Local}]
		})
		flow.Hosts = append(flow.Hosts, h)
	}
	return flow
}

// way is the frames of one packet, from its sender onwards.
type way struct{ frames []capture.Frame }

func (w *way) last() capture.Frame { return w.frames[len(w.frames)-1] }

// ways joins frames to ways.
type ways struct {
	hosts []Observed
	all   []*way
	// sent has the ways whose last frame has left a host, by the receiver and the bytes;
	// arrived those whose last frame has arrived at a host that could forward it.
	sent, arrived map[string][]*way
}

func (w *ways) column(name string) int {
	return slices.IndexFunc(w.hosts, func(h Observed) bool { return h.Name == name })
}

// add adds a frame to the way that it goes on, or begins a new one.
func (w *ways) add(f capture.Frame) {
	if f.Out {
		// Of two equal packets the later one was forwarded: the earlier one was dropped, and
		// this is its retransmission.
		key := fmt.Sprintf("%s %s", f.Host, f.ForwardedAs())
		var on *way
		if waiting := w.arrived[key]; len(waiting) > 0 {
			on = waiting[len(waiting)-1]
			w.arrived[key] = waiting[:len(waiting)-1]
		}
		on = w.extend(on, f)
		next := fmt.Sprintf("%s %s", w.hosts[w.column(f.Host)].Neighbours[f.Link], f.SentAs())
		w.sent[next] = append(w.sent[next], on)
		return
	}
	key := fmt.Sprintf("%s %s", f.Host, f.SentAs())
	var on *way
	if waiting := w.sent[key]; len(waiting) > 0 {
		on, w.sent[key] = waiting[0], waiting[1:]
	}
	on = w.extend(on, f)
	if h := w.hosts[w.column(f.Host)]; h.Forwards {
		next := fmt.Sprintf("%s %s", f.Host, f.ForwardedAs())
		w.arrived[next] = append(w.arrived[next], on)
	}
}

func (w *ways) extend(on *way, f capture.Frame) *way {
	if on == nil {
		on = &way{}
		w.all = append(w.all, on)
	}
	on.frames = append(on.frames, f)
	return on
}

// rung returns the way as a rung of the ladder.
func (w *way) rung(hosts []Observed, start time.Time) Rung {
	first, last := w.frames[0], w.last()
	column := func(name string) int {
		return slices.IndexFunc(hosts, func(h Observed) bool { return h.Name == name })
	}
	a := &Arrow{Brief: first.Brief(), To: column(last.Host), Arrived: last.At.Sub(start)}
	for _, f := range w.frames {
		a.Frames = append(a.Frames, f.Number)
		a.ends = append(a.ends, [2]netip.AddrPort{f.Src, f.Dst})
	}
	from := column(first.Host)
	if !first.Out { // the capture of the sender does not have it
		from = column(hosts[from].Neighbours[first.Link])
	}
	sender, end := hosts[from], hosts[a.To]
	a.Forged = first.Out && sender.Forwards && !slices.Contains(sender.Addresses, first.Src.Addr())
	switch {
	case last.Out:
		a.End = Lost
	case end.Forwards && !slices.Contains(end.Addresses, last.Dst.Addr()):
		a.End = Dropped
	}
	text := first.Content()
	if first.TCP || len(first.Chunks) > 0 {
		text = fmt.Sprintf("%v > %v %s", first.Src, first.Dst, text)
	}
	return Rung{At: first.At.Sub(start), Kind: Kind(timeline.Packet), Host: from, Text: text, Arrow: a}
}
