package measuring

import (
	"time"

	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/answer"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/peer"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

// story is what happened to one connection of the program under test, as it was seen
// from outside, to be judged.
type story struct {
	changes  []change         // of the program's socket
	failures []failure        // of the program's calls
	gone     time.Time        // when its socket was gone for good; zero: it is not
	exit     *peer.Event      // when the program ended; nil: it did not
	packets  []capture.Packet // as its host saw them; none while its kernel has it open
}

func (t *trial) story() story {
	s := story{changes: t.tracer.of(t.local, t.remote), gone: t.gone.of(t.local, t.remote), exit: t.exited}
	if t.program != nil {
		s.failures = t.tracer.failures(t.mark(t.plan.UnderTest))
	}
	for _, c := range s.changes {
		if c.to == sock.Closed {
			s.packets = t.packets()
			break
		}
	}
	return s
}

// turn is an event of a story with its instant.
type turn struct {
	what string
	at   time.Time
}

// What the program's kernel learns, and what the program does. They are words of the
// answer.
const (
	toldFIN     = "FIN"
	toldRST     = "RST"
	toldTimeout = "ETIMEDOUT"
	closes      = "closes"
	aborts      = "aborts (RST)"
	ends        = "ends"
)

// kernel is when the program's kernel was told that the connection is over, at least in
// one direction.
func (s story) kernel() (turn, bool) {
	for _, c := range s.changes {
		switch {
		case c.from == sock.Established && c.to == sock.CloseWait:
			return turn{toldFIN, c.at}, true
		case c.to == sock.Closed && (c.from == sock.Established || c.from == sock.CloseWait):
			if s.reset(c.at, false) {
				return turn{toldRST, c.at}, true
			}
			if c.softirq {
				return turn{toldTimeout, c.at}, true
			}
			return turn{}, false // the program has aborted it
		case c.from == sock.Established && c.to == sock.FinWait1:
			return turn{}, false // the program has closed it
		}
	}
	return turn{}, false
}

// instant is how far apart two observations of one event may be: the capture and the
// trace stamp it in different places of the kernel.
const instant = 5 * time.Millisecond

// reset says whether an RST of the connection was seen at an instant, on its way out or
// in.
func (s story) reset(at time.Time, out bool) bool {
	for _, p := range s.packets {
		if p.RST && p.Out == out && p.At.Sub(at).Abs() <= instant {
			return true
		}
	}
	return false
}

// program is when the program has noticed: the first of a call that fails once its
// kernel knows, and of closing the connection, which it also does by itself.
func (s story) program() (turn, bool) {
	var first turn
	found := false
	take := func(what string, at time.Time) {
		if !found || at.Before(first.at) {
			first, found = turn{what, at}, true
		}
	}
	for _, c := range s.changes {
		switch {
		case c.from == sock.Established && c.to == sock.FinWait1, c.from == sock.CloseWait && c.to == sock.LastAck:
			take(closes, c.at)
		case c.to == sock.Closed && !c.softirq && !s.reset(c.at, false) && (c.from == sock.Established || c.from == sock.CloseWait):
			take(aborts, c.at)
		}
	}
	told, known := s.kernel()
	if known {
		for _, f := range s.failures {
			if !f.at.Before(told.at.Add(-instant)) {
				take(sock.ErrnoName(f.errno), f.at)
			}
		}
		// A socket that its kernel has given up is gone when its program has closed it.
		if !s.gone.IsZero() {
			take(closes, s.gone)
		}
	}
	return first, found
}

// told says that the program has noticed, or has ended: there is nothing to wait for.
func (s story) told() bool {
	if s.exit != nil {
		return true
	}
	_, noticed := s.program()
	return noticed
}

// ended says that the connection is over, for the program or for its kernel.
func (s story) ended() bool {
	_, known := s.kernel()
	return known || s.told()
}

// event is a turn as the answer has it, counted from an instant.
func (t turn) event(since time.Time) *answer.Event {
	return &answer.Event{What: t.what, After: answer.Of(t.at.Sub(since))}
}
