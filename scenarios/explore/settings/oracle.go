package settings

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/halfopen-lab/halfopen/fixtures/presets"
	"github.com/halfopen-lab/halfopen/harness/oracle"
)

// Word is an outcome that the oracle allows.
type Word struct {
	Is     Fate
	As     string        // of Noticed
	Window oracle.Window // of Noticed, since the peer was last heard
}

// Words are the outcomes that the oracle allows for a cell. There is more than one where the
// lateness of the kernel's timers, which the oracle knows within its tolerance, decides.
type Words []Word

// Allows reports whether an outcome is among the words.
func (w Words) Allows(o Outcome) bool {
	return slices.ContainsFunc(w, func(w Word) bool {
		return w.Is == o.Is && w.As == o.As && (w.Is != Noticed || w.Window.Contains(o.After))
	})
}

// Certain reports whether the words allow one fate only.
func (w Words) Certain() bool {
	return !slices.ContainsFunc(w, func(other Word) bool { return other.Is != w[0].Is })
}

// String returns the words as text: "ETIMEDOUT after 7875 to 8859 s, or survives".
func (w Words) String() string {
	var all []string
	for _, word := range w {
		if word.Is == Noticed {
			all = append(all, fmt.Sprintf("%s after %.0f to %.0f s", word.As, word.Window.Earliest.Seconds(), word.Window.Latest.Seconds()))
			continue
		}
		all = append(all, string(word.Is))
	}
	return strings.Join(all, ", or ")
}

func survives() Words { return Words{{Is: Survives}} }
func never() Words    { return Words{{Is: Never}} }

func noticed(as string, w oracle.Window) Words { return Words{{Is: Noticed, As: as, Window: w}} }

// plus returns a window that is counted from an event in another one.
func plus(a, b oracle.Window) oracle.Window {
	return oracle.Window{Earliest: a.Earliest + b.Earliest, Latest: a.Latest + b.Latest}
}

// exactly returns the window of what no timer of TCP delays: connection tracking looks at the
// clock when a packet comes.
func exactly(d time.Duration) oracle.Window { return oracle.Window{Earliest: d, Latest: d} }

// gap is the time between two packets of a connection; nil: there is no further packet.
type gap *oracle.Window

// soonest returns the gap to what comes first of some timers, of which zero ones do not run.
func soonest(timers ...time.Duration) gap {
	timers = slices.DeleteFunc(timers, func(d time.Duration) bool { return d == 0 })
	if len(timers) == 0 {
		return nil
	}
	w := oracle.Around(slices.Min(timers))
	return &w
}

// either returns the words of a gap that the firewall may outlast: those of kept if the gap ends
// before the firewall forgets, those of forgotten if it ends later, and both where the tolerance
// leaves it open.
func either(g gap, forgets time.Duration, kept, forgotten func() Words) Words {
	switch {
	case g == nil || g.Earliest >= forgets:
		return forgotten()
	case g.Latest < forgets:
		return kept()
	}
	return merge(kept(), forgotten())
}

// merge joins words; those with the same fate and errno become one.
func merge(a, b Words) Words {
	all := slices.Clone(a)
	for _, w := range b {
		at := slices.IndexFunc(all, func(o Word) bool { return o.Is == w.Is && o.As == w.As })
		if at < 0 {
			all = append(all, w)
			continue
		}
		all[at].Window.Earliest = min(all[at].Window.Earliest, w.Window.Earliest)
		all[at].Window.Latest = max(all[at].Window.Latest, w.Window.Latest)
	}
	return all
}

// repeated returns keepalive as it goes on after an answered probe: the kernel looks again after
// the interval, so that the next probe comes no sooner (net/ipv4/tcp_timer.c,
// tcp_keepalive_timer).
func repeated(k oracle.Keepalive) oracle.Keepalive {
	if k.Idle > 0 {
		k.Idle = max(k.Idle, k.Interval)
	}
	return k
}

// Idle returns what becomes of a connection on which the two sides have nothing to say but the
// heartbeat.
func (c Cell) Idle() Words { return c.orImpatient(c.idle()) }

// orImpatient returns the words of a cell whose heartbeat may accept less silence than it makes: it
// then takes a living peer for dead when it looks for the first time.
func (c Cell) orImpatient(w Words) Words {
	if c.Silence == 0 || c.Silence >= c.Heartbeat {
		return w
	}
	ends := slices.DeleteFunc(slices.Clone(w), func(w Word) bool { return w.Is != Noticed })
	return merge(ends, noticed(ToldSilence, oracle.Around(c.Heartbeat))).soonest()
}

func (c Cell) idle() Words {
	forgets := c.Firewall.Idle
	if forgets == 0 {
		return survives()
	}
	if c.Firewall.Proxy() { // it counts data alone
		return either(soonest(c.Heartbeat), forgets, survives, func() Words { return noticed(ToldZeroRead, oracle.Around(forgets)) })
	}
	first, later := c.Keepalive, repeated(c.Keepalive)
	return either(soonest(first.Idle, c.Heartbeat), forgets, func() Words {
		return either(soonest(later.Idle, c.Heartbeat), forgets, survives, func() Words { return c.forgotten(later) })
	}, func() Words { return c.forgotten(first) })
}

// forgotten returns what becomes of a connection whose flow the firewall has forgotten.
func (c Cell) forgotten(k oracle.Keepalive) Words {
	switch c.Firewall.AfterExpiry {
	case presets.PickUp:
		return survives()
	case presets.PickUpOutbound:
		if !c.Outside {
			return survives()
		}
	case presets.ResetBoth:
		return noticed("ECONNRESET", oracle.Around(c.Firewall.Idle))
	case presets.ResetSender:
		next := soonest(k.Idle, c.Heartbeat)
		if next == nil {
			return never()
		}
		return noticed("ECONNRESET", *next)
	}
	return c.unanswered(k)
}

// rto is the retransmission timeout of a path with a short round trip (include/net/tcp.h,
// TCP_RTO_MIN).
const rto = 200 * time.Millisecond

// unanswered returns what becomes of a connection on which nothing is answered any more.
func (c Cell) unanswered(k oracle.Keepalive) Words {
	var all Words
	probing := k.Idle > 0
	if probing {
		all = noticed("ETIMEDOUT", k.Death())
	}
	if c.Heartbeat > 0 {
		// Once a heartbeat is in flight, retransmission governs, and keepalive waits.
		beat := oracle.Around(c.Heartbeat)
		if probing && beat.Earliest <= k.Death().Latest {
			all = nil
			if k.Death().Earliest <= beat.Latest {
				all = noticed("ETIMEDOUT", k.Death())
			}
		}
		if !probing || beat.Earliest <= k.Death().Latest {
			inFlight := oracle.GiveUp(oracle.Retries2, rto)
			if k.UserTimeout > 0 {
				inFlight = oracle.UserTimeout(k.UserTimeout, rto)
			}
			all = merge(all, noticed("ETIMEDOUT", plus(beat, inFlight)))
			if c.Silence > 0 {
				all = merge(all, noticed(ToldSilence, oracle.Silence(c.Silence, c.Heartbeat)))
			}
		}
	}
	if len(all) == 0 {
		return never()
	}
	return all.soonest()
}

// soonest returns the words without those that others are sure to come before.
func (w Words) soonest() Words {
	latest := slices.MinFunc(w, func(a, b Word) int { return int(a.Window.Latest - b.Window.Latest) }).Window.Latest
	return slices.DeleteFunc(w, func(o Word) bool { return o.Window.Earliest > latest })
}

// unanswered3 is how long connection tracking keeps a flow, at most, of which one side has sent
// the same packet four times without an answer (nf_conntrack-sysctl.rst,
// nf_conntrack_tcp_timeout_max_retrans), and one with unacknowledged data
// (nf_conntrack_tcp_timeout_unacknowledged).
const unanswered3 = 300 * time.Second

// Off returns what becomes of a connection whose peer's host loses power.
func (c Cell) Off() Words { return c.orImpatient(c.off()) }

func (c Cell) off() Words {
	if c.Firewall.Proxy() {
		return c.offBehindProxy()
	}
	then := c.Firewall.AfterExpiry
	if c.Firewall.Idle == 0 || then != presets.ResetSender && then != presets.ResetBoth {
		return c.unanswered(c.Keepalive)
	}
	if c.Heartbeat > 0 {
		return c.offWithHeartbeat()
	}
	forgets, k := c.Firewall.Idle, c.Keepalive
	reset := func(sent, next oracle.Window) Words { // the flow is forgotten after the packet sent
		if then == presets.ResetBoth {
			return noticed("ECONNRESET", plus(sent, oracle.Around(forgets)))
		}
		return noticed("ECONNRESET", next)
	}
	if k.Idle == 0 {
		if then == presets.ResetBoth {
			return reset(exactly(0), oracle.Window{})
		}
		return never()
	}
	death := func() Words { return noticed("ETIMEDOUT", k.Death()) }
	return either(soonest(k.Idle), forgets, func() Words {
		if then == presets.ResetSender && len(k.Probes()) < 2 { // nothing is sent again
			return death()
		}
		later := func() Words { return reset(oracle.Around(k.Idle), oracle.Around(k.Idle+k.Interval)) }
		if w := oracle.Around(k.Interval); w.Latest >= unanswered3 && w.Earliest < forgets && len(k.Probes()) > 3 {
			again := oracle.Window{Earliest: k.Idle, Latest: k.Death().Latest}
			return merge(death(), noticed("ECONNRESET", again))
		}
		return either(soonest(k.Interval), forgets, death, later)
	}, func() Words { return reset(exactly(0), oracle.Around(k.Idle)) })
}

// offWithHeartbeat returns what Off does for heartbeats through a firewall that resets. The
// retransmissions of the first one refresh the flow, but ever more rarely.
func (c Cell) offWithHeartbeat() Words {
	words := c.unanswered(c.Keepalive)
	forgets := min(c.Firewall.Idle, unanswered3)
	var latest time.Duration
	for _, w := range words {
		latest = max(latest, w.Window.Latest)
	}
	if soonest(c.Keepalive.Idle, c.Heartbeat).Earliest >= c.Firewall.Idle {
		return c.forgotten(c.Keepalive)
	}
	if forgets < latest {
		words = merge(words, noticed("ECONNRESET", oracle.Window{Earliest: forgets, Latest: latest}))
	}
	return words
}

// offBehindProxy returns what Off does for a proxy, whose kernel goes on answering.
func (c Cell) offBehindProxy() Words {
	forgets := c.Firewall.Idle
	closed := func() Words {
		if forgets == 0 {
			return never()
		}
		return noticed(ToldZeroRead, oracle.Around(forgets))
	}
	if c.Heartbeat == 0 {
		return closed()
	}
	kept := func() Words {
		if c.Silence > 0 {
			return noticed(ToldSilence, oracle.Silence(c.Silence, c.Heartbeat))
		}
		// The proxy's kernel gives the server up, and the proxy then closes.
		up := plus(oracle.Around(c.Heartbeat), oracle.GiveUp(oracle.Retries2, rto))
		return merge(noticed(ToldZeroRead, up), noticed("ECONNRESET", up))
	}
	if forgets == 0 {
		return kept()
	}
	return either(soonest(c.Heartbeat), forgets, kept, closed)
}
