package ladder

import (
	"net/netip"
	"slices"
	"time"

	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/timeline"
)

// A firewall forgets a flow when its entry expires. The kernel says so later: when the next packet
// of the flow comes, or when it collects garbage. Only then comes the event, so the instant is
// derived from the packets, each of which gives the entry its whole timeout again.

// entryLife is a conntrack entry while it is there.
type entryLife struct {
	refreshed time.Time
	timeout   time.Duration
	plain     bool // the last packet has a timeout that the state alone decides
}

// expiries returns an event for each conntrack entry that had expired when its kernel said that it
// was gone. Data that nobody has acknowledged, retransmissions and other protocols than TCP have
// timeouts of their own (net/netfilter/nf_conntrack_proto_tcp.c): there is no event for those.
func expiries(frames []capture.Frame, events []timeline.Event) (all []timeline.Event) {
	type place struct {
		host string
		flow [2]netip.AddrPort
	}
	lives := map[place]*entryLife{}
	refresh := func(until time.Time) {
		for len(frames) > 0 && frames[0].At.Before(until) {
			f := frames[0]
			frames = frames[1:]
			for _, flow := range [][2]netip.AddrPort{{f.Src, f.Dst}, {f.Dst, f.Src}} {
				if life := lives[place{f.Host, flow}]; life != nil && f.TCP && f.At.Before(life.expiry()) {
					life.refreshed, life.plain = f.At, f.Length == 0 && !f.SYN && !f.FIN && !f.RST && f.Role != capture.Retransmitted
				}
			}
		}
	}
	for _, e := range events {
		if e.Kind != timeline.Conntrack || e.Flow == ([2]netip.AddrPort{}) {
			continue
		}
		at := e.At.Round(0)
		refresh(at)
		here := place{e.Who, e.Flow}
		life := lives[here]
		switch {
		case e.State != "":
			lives[here] = &entryLife{refreshed: at, timeout: e.Expires.Sub(e.At), plain: e.State == "ESTABLISHED"}
		case life != nil:
			delete(lives, here)
			if life.plain && !life.expiry().After(at) {
				e.At, e.Expires = life.expiry(), life.expiry().Add(life.timeout)
				all = append(all, e)
			}
		}
	}
	return slices.Clip(all)
}

func (l *entryLife) expiry() time.Time { return l.refreshed.Add(l.timeout) }
