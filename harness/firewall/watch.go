package firewall

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/halfopen-lab/halfopen/harness/capture"
)

// expiryWatch acts at the moment at which a flow's idle timer fires. Conntrack does not: it
// notices an expired entry at the next packet, or when it collects garbage. The watch
// computes the timers from the packets that the firewall has seen, which are the packets
// that refresh conntrack's entries.
type expiryWatch struct {
	firewall    *Firewall
	timeout     time.Duration
	refreshedBy string // the link whose packets alone refresh a flow; empty: those of both links do
	then        AfterExpiry
	done        chan struct{}
	stopped     chan struct{}
}

// watchExpiry starts a watch, and stops the one before.
func (f *Firewall) watchExpiry(timeout time.Duration, refreshedBy string) {
	f.stopWatch()
	f.watch = &expiryWatch{
		firewall: f, timeout: timeout, refreshedBy: refreshedBy, then: f.after,
		done: make(chan struct{}), stopped: make(chan struct{}),
	}
	go f.watch.run()
}

func (f *Firewall) stopWatch() {
	if f.watch != nil {
		f.watch.stop()
		f.watch = nil
	}
}

func (w *expiryWatch) stop() {
	close(w.done)
	<-w.stopped
}

func (w *expiryWatch) run() {
	defer close(w.stopped)
	expired := map[end]time.Time{} // the last refresh of flows that have expired
	for {
		now := time.Now()
		next := now.Add(w.timeout) // no flow that begins from now on expires before that
		for e, flow := range flowEnds(w.firewall.packets.Packets(), w.refreshedBy) {
			if flow.closed || expired[e].Equal(flow.refreshed) {
				continue
			}
			expiry := flow.refreshed.Add(w.timeout)
			if expiry.After(now) {
				next = earlier(next, expiry)
				continue
			}
			expired[e] = flow.refreshed
			w.firewall.expire(e, flow, w.then)
		}
		select {
		case <-w.done:
			return
		case <-time.After(time.Until(next)):
		}
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// end is one end of a flow, with the addresses that its side of the firewall sees: with NAT
// the two sides see different ones.
type end struct {
	link       string // the firewall's link towards the end
	self, peer netip.AddrPort
}

// flowEnd is what the firewall has seen of a flow at one end.
type flowEnd struct {
	refreshed time.Time
	// expects is the sequence number that the end expects next: the last one that it has
	// acknowledged, or the one after the data that was sent to it since. An RST must have
	// exactly this number (RFC 5961 §3.2).
	expects uint32
	closed  bool // after a FIN or RST: conntrack has other timers for the flow
}

// flowEnds returns the ends of all flows, from the packets that come from them and go to
// them.
func flowEnds(packets []capture.Packet, refreshedBy string) map[end]*flowEnd {
	ends := map[end]*flowEnd{}
	for _, p := range packets {
		if !p.TCP {
			continue
		}
		e := end{p.Link, p.Src, p.Dst}
		if p.Out {
			e.self, e.peer = p.Dst, p.Src
		}
		flow := ends[e]
		if flow == nil {
			flow = &flowEnd{refreshed: p.At}
			ends[e] = flow
		}
		if p.RST || p.FIN {
			flow.closed = true
		}
		if p.SYN && !p.ACK {
			*flow = flowEnd{refreshed: p.At} // another flow with the same ports
		}
		switch {
		case p.Out:
			// What the firewall sends arrives: the last cable loses nothing.
			if next := p.Seq + uint32(p.Length); p.Length > 0 && int32(next-flow.expects) > 0 {
				flow.expects = next
			}
		case p.ACK && (flow.expects == 0 || int32(p.Ack-flow.expects) > 0):
			flow.expects = p.Ack
		}
		if refreshedBy == "" || (p.Link == refreshedBy) != p.Out {
			flow.refreshed = p.At
		}
	}
	return ends
}

// expire forgets a flow, and resets one of its ends if the policy is ResetBoth.
func (f *Firewall) expire(e end, flow *flowEnd, then AfterExpiry) {
	// The entry has the direction in which the flow was opened, and may be gone already.
	_ = f.forget(e.self, e.peer)
	_ = f.forget(e.peer, e.self)
	if then == ResetBoth {
		f.complain(Reset{From: e.peer, To: e.self, Seq: flow.expects}.Send(f.ns))
	}
}

// Forget makes the firewall forget a flow now, as if its idle timer had fired. If the
// policy is ResetBoth, both ends are reset. The addresses are those that the client sees.
func (f *Firewall) Forget(client, server netip.AddrPort) error {
	entry, known, err := f.Find(client, server)
	if err != nil {
		return err
	}
	if err := f.forget(client, server); err != nil || !known || f.after != ResetBoth {
		return err
	}
	var errs []error
	for e, flow := range flowEnds(f.packets.Packets(), "") {
		if (e.self == entry.From && e.peer == entry.To) || (e.self == entry.ReplyFrom && e.peer == entry.ReplyTo) {
			errs = append(errs, Reset{From: e.peer, To: e.self, Seq: flow.expects}.Send(f.ns))
		}
	}
	return errors.Join(errs...)
}

// RefreshOnlyFrom makes the firewall forget a flow that has had no packet from one link for
// a time; packets from the other link do not refresh it. Some firewalls have such a
// setting.
func (f *Firewall) RefreshOnlyFrom(link string, timeout time.Duration) error {
	err := errors.New("the time must be positive")
	if timeout > 0 {
		err = f.ns.Do(func() error { _, err := net.InterfaceByName(link); return err })
	}
	if err != nil {
		return fmt.Errorf("letting only packets from %s refresh flows of %s for %v: %w", link, f.ns.Name(), timeout, err)
	}
	f.watchExpiry(timeout, link)
	return nil
}
