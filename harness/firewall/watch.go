package firewall

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/halfopen-lab/halfopen/harness/capture"
)

// expiryWatch acts the moment a flow's idle timer fires. Conntrack by itself does
// not: it finds an expired entry when the next packet or its garbage collection
// comes by. The watch times flows by the packets that the firewall has seen, the
// same ones that refresh the conntrack entry.
type expiryWatch struct {
	firewall    *Firewall
	timeout     time.Duration
	refreshedBy string // the link whose packets refresh a flow; empty: both
	then        AfterExpiry
	done        chan struct{}
	stopped     chan struct{}
}

// watchExpiry starts the watch, in place of one that runs already.
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
	expired := map[end]time.Time{} // when the flow that expired was last refreshed
	for {
		now := time.Now()
		next := now.Add(w.timeout) // a flow that begins later cannot expire before
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

// end is one end of a flow as its side of the firewall sees it: behind a NAT the
// two sides see different addresses.
type end struct {
	link       string // the firewall's link towards the end
	self, peer netip.AddrPort
}

// flowEnd is what the firewall has seen of the flow at that end.
type flowEnd struct {
	refreshed time.Time
	// expects is the sequence number that the end expects next: the last one it
	// has acknowledged, or what was sent to it since. An RST must carry it exactly
	// (RFC 5961 §3.2).
	expects uint32
	closed  bool // a FIN or RST was seen: conntrack has other timers for it
}

// flowEnds sums the packets up, by the end that they come from or go to.
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
			*flow = flowEnd{refreshed: p.At} // the ports are used again
		}
		switch {
		case p.Out:
			// The last cable loses nothing: what is sent on it arrives.
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

// expire forgets the flow and, where the policy says so, resets its end.
func (f *Firewall) expire(e end, flow *flowEnd, then AfterExpiry) {
	// One of the two directions is the one in which the flow was opened; the
	// entry may also be gone already.
	_ = f.forget(e.self, e.peer)
	_ = f.forget(e.peer, e.self)
	if then == ResetBoth {
		f.complain(Reset{From: e.peer, To: e.self, Seq: flow.expects}.Send(f.ns))
	}
}

// Forget makes the firewall forget a flow now, as if its idle timer had fired;
// under ResetBoth both ends are reset. The addresses are those that the client
// sees.
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

// RefreshOnlyFrom makes only packets that arrive on one link refresh a flow, for
// timeout, as some firewalls can be told to.
func (f *Firewall) RefreshOnlyFrom(link string, timeout time.Duration) error {
	err := errors.New("the time must be more than nothing")
	if timeout > 0 {
		err = f.ns.Do(func() error { _, err := net.InterfaceByName(link); return err })
	}
	if err != nil {
		return fmt.Errorf("letting only packets from %s refresh flows of %s for %v: %w", link, f.ns.Name(), timeout, err)
	}
	f.watchExpiry(timeout, link)
	return nil
}
