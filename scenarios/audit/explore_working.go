package audit

import (
	"slices"
	"time"

	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

// replaced returns when the program itself has ended connections that another followed, by
// connection.
func (e *exploration) replaced() map[*connection]time.Time {
	ended := map[*connection]time.Time{}
	all := e.connections()
	for i, c := range all {
		if i == len(all)-1 {
			break
		}
		for _, change := range c.changes {
			if change.From == sock.Established && (change.To == sock.FinWait1 || change.To == sock.Closed) && !change.SoftIRQ {
				ended[c] = change.At
			}
		}
	}
	return ended
}

// seenBefore is how long before the end of a connection the peer's data must have arrived for the
// program to have read it.
const seenBefore = 100 * time.Millisecond

// gaveUpWorking returns how long after the last fault was over the program ended a connection that
// worked again: since then data of the peer had arrived, and nothing was under way. A program that
// does so without a fault is left alone.
func (e *exploration) gaveUpWorking() (after time.Duration, ok bool) {
	if e.quiet.Replaced > 0 || unhealed(e.blows) || e.last.IsZero() {
		return 0, false
	}
	ended := e.replaced()
	for _, c := range e.connections() {
		at, own := ended[c]
		if own && at.After(e.last) && e.worked(c, at) {
			return at.Sub(e.last), true
		}
	}
	return 0, false
}

// worked reports whether a connection worked when the program ended it at an instant.
func (e *exploration) worked(c *connection, at time.Time) bool {
	before := slices.DeleteFunc(e.packetsOf(c), func(p capture.Packet) bool { return !p.At.Before(at) })
	if _, underWay := unacknowledged(before); underWay {
		return false
	}
	heard := false
	for _, p := range before {
		switch {
		case p.Out:
		case p.RST || p.FIN:
			return false
		case p.Length > 0 && p.At.After(e.last):
			heard = heard || at.Sub(p.At) >= seenBefore
		}
	}
	return heard && !slices.ContainsFunc(e.seen.Requests, func(r request) bool {
		return r.Port == c.local && r.At.Before(at) && (r.Arrived.IsZero() || r.Arrived.After(at))
	})
}
