package matrix

import (
	"github.com/halfopen-lab/halfopen/fixtures/detection"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/oracle"
)

// brokenOverSCTP is broken for an association: with nothing in flight it is given up by
// its HEARTBEATs, and otherwise by its retransmissions, or sooner by both together, and by
// the failures of two paths together.
func (e *ends) brokenOverSCTP(w *watcher) string {
	a := w.program.(*association)
	switch w.outcome.As {
	case detection.Never, detection.Alive:
		return ""
	case "silence":
		return w.outside(oracle.Silence(detection.BeatTimeout, detection.BeatInterval), w.heard)
	case "zero-read":
		return unless(e.got(w, capture.SCTP(capture.SHUTDOWN)), "no SHUTDOWN has come")
	case "ECONNRESET":
		return unless(e.got(w, capture.SCTP(capture.ABORT)), "no ABORT has come")
	case "path down":
		switch {
		case w.load == detection.Idle:
			return w.outside(a.settings().PathFailure(w.rto), w.quietSince)
		case len(e.lab.Paths()) > 1:
			return w.outside(a.settings().PathFailureInFlight(w.rto), w.began.Add(detection.LoadInterval))
		}
		return w.outside(oracle.Window{Latest: a.settings().PathFailure(w.rto).Latest}, w.quietSince)
	}
	switch {
	case w.unanswered.IsZero() && w.load == detection.Busy: // its HEARTBEATs were unanswered before that
		return w.outside(oracle.Window{Latest: a.settings().AssociationFailure(w.rto).Latest}, w.quietSince)
	case w.unanswered.IsZero():
		return w.outside(a.settings().AssociationFailure(w.rto), w.quietSince)
	case w.detector == detection.AssociationUnprobed && len(e.lab.Paths()) == 1:
		return w.outside(a.settings().InFlightWithoutHeartbeats(w.rto), w.unanswered)
	}
	return w.outside(a.settings().InFlight(w.rto), w.unanswered)
}
