package audit

import (
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/box"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/harness/trace"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// story is what happened to the connection of one trial, as it was seen from outside.
type story struct {
	connection *connection // which it is; nil: there was none

	changes  []trace.Change   // of the program's socket
	failures []trace.Failure  // of the program's calls
	gone     time.Time        // when the program's socket was gone for good; zero: it is not
	exit     *box.Exit        // of the program; nil: it runs
	packets  []capture.Packet // as the program's host saw them; none while its kernel has the connection
	errors   []time.Time      // when ICMP errors came in, while the program connected
}

// moment is an event of a story.
type moment struct {
	what string
	at   time.Time
}

// What the program's kernel learns, and what the program does: words of the answer.
const (
	learnsFIN     = "FIN"
	learnsRST     = "RST"
	learnsTimeout = "ETIMEDOUT"
	learnsICMP    = "ICMP error"
	closes        = "closes"
	aborts        = "aborts (RST)"
)

// kernel returns when the program's kernel learned that the connection is over, at least in
// one direction; ok is false while it has not.
func (s story) kernel() (m moment, ok bool) {
	for _, c := range s.changes {
		switch {
		case c.From == sock.Established && c.To == sock.CloseWait:
			return moment{learnsFIN, c.At}, true
		case c.To == sock.Closed && (c.From == sock.Established || c.From == sock.CloseWait):
			if s.resetReceived(c.At) {
				return moment{learnsRST, c.At}, true
			}
			if c.SoftIRQ {
				return moment{s.timeout(c.At), c.At}, true
			}
			return moment{}, false // the program has aborted it
		case c.From == sock.Established && c.To == sock.FinWait1:
			return moment{}, false // the program has closed it
		case c.From == sock.SynSent && c.To == sock.Closed:
			return s.unconnected(c)
		}
	}
	return moment{}, false
}

// explains reports whether calls fail with an errno because of what the kernel has learned.
func (m moment) explains(errno unix.Errno) bool {
	switch errno {
	case unix.ECONNRESET:
		return m.what == learnsRST
	case unix.ETIMEDOUT, unix.EHOSTUNREACH, unix.ENETUNREACH:
		return m.what == learnsTimeout || m.what == sock.ErrnoName(errno)
	}
	return true
}

// timeout returns the errno of a connection that its kernel has given up: ETIMEDOUT, or what ICMP
// errors have said before, where a call of the program returns that (net/ipv4/tcp_timer.c,
// tcp_write_err).
func (s story) timeout(at time.Time) string {
	for _, f := range s.failures {
		if (f.Errno == unix.EHOSTUNREACH || f.Errno == unix.ENETUNREACH) && f.At.Sub(at).Abs() <= clockTolerance {
			return sock.ErrnoName(f.Errno)
		}
	}
	return learnsTimeout
}

// unconnected returns how the program's kernel learned that there is no connection; ok is false
// where the program gave the attempt up.
func (s story) unconnected(c trace.Change) (m moment, ok bool) {
	switch {
	case s.resetReceived(c.At):
		return moment{learnsRST, c.At}, true
	case slices.ContainsFunc(s.errors, func(at time.Time) bool { return at.Sub(c.At).Abs() <= clockTolerance }):
		return moment{learnsICMP, c.At}, true
	case c.SoftIRQ:
		return moment{learnsTimeout, c.At}, true
	}
	return moment{}, false
}

// clockTolerance is how far apart two records of one event may be: the capture and the trace
// stamp it in different places of the kernel.
const clockTolerance = 5 * time.Millisecond

// resetReceived reports whether an RST of the connection came in at that time.
func (s story) resetReceived(at time.Time) bool {
	for _, p := range s.packets {
		if p.RST && !p.Out && p.At.Sub(at).Abs() <= clockTolerance {
			return true
		}
	}
	return false
}

// program returns when the program has noticed: the first call that fails once its kernel
// knows, or the first time that it closes the connection, which it also does by itself. ok
// is false while it has not.
func (s story) program() (first moment, ok bool) {
	take := func(what string, at time.Time) {
		if !ok || at.Before(first.at) {
			first, ok = moment{what, at}, true
		}
	}
	for _, c := range s.changes {
		switch {
		case c.From == sock.Established && c.To == sock.FinWait1, c.From == sock.CloseWait && c.To == sock.LastAck:
			take(closes, c.At)
		case c.To == sock.Closed && !c.SoftIRQ && !s.resetReceived(c.At) && (c.From == sock.Established || c.From == sock.CloseWait):
			take(aborts, c.At)
		case c.From == sock.SynSent && c.To == sock.Closed:
			if _, known := s.unconnected(c); !known {
				take(closes, c.At)
			}
		}
	}
	if learned, known := s.kernel(); known {
		for _, f := range s.failures {
			if !f.At.Before(learned.at.Add(-clockTolerance)) {
				take(sock.ErrnoName(f.Errno), f.At)
			}
		}
		// A socket that its kernel has given up is gone once the program has closed it.
		if !s.gone.IsZero() {
			take(closes, s.gone)
		}
	}
	return first, ok
}

// noticed reports whether the program has noticed, or has ended: nothing more is waited
// for.
func (s story) noticed() bool {
	if s.exit != nil {
		return true
	}
	_, ok := s.program()
	return ok
}

// over reports whether the connection is over, for the program or for its kernel.
func (s story) over() bool {
	_, known := s.kernel()
	return known || s.noticed()
}

// event returns the moment as the answer has it, counted from a time.
func (m moment) event(since time.Time) *answer.Event {
	return &answer.Event{What: m.what, After: answer.Of(m.at.Sub(since))}
}
