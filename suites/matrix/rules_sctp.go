package matrix

import (
	"github.com/halfopen-lab/halfopen/fixtures/detection"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/oracle"
)

// brokenOverSCTP is brokenRule for an association. With nothing in flight, unanswered
// HEARTBEATs end it; otherwise retransmissions do, or sooner both together, or the failures of
// two paths together.
func (e *ends) brokenOverSCTP(w *watcher) string {
	settings := settingsOf(w.detector)
	switch w.outcome.As {
	case detection.Never, detection.Alive:
		return ""
	case detection.ToldSilence:
		return w.outside(oracle.Silence(detection.BeatTimeout, detection.BeatInterval), w.heard)
	case detection.ToldZeroRead:
		return unless(e.got(w, capture.SCTP(capture.SHUTDOWN)), "no SHUTDOWN has arrived")
	case "ECONNRESET":
		return unless(e.got(w, capture.SCTP(capture.ABORT)), "no ABORT has arrived")
	case detection.ToldPathDown:
		switch {
		case w.load == detection.Idle:
			return w.outside(settings.PathFailure(w.rto), w.heard)
		case len(e.lab.Paths()) > 1:
			return w.outside(settings.PathFailureInFlight(w.rto), w.began.Add(detection.LoadInterval))
		}
		return w.outside(oracle.Window{Latest: settings.PathFailure(w.rto).Latest}, w.heard)
	}
	switch {
	case w.unanswered.IsZero() && w.load == detection.Busy: // its HEARTBEATs were unanswered before the load began
		return w.outside(oracle.Window{Latest: settings.AssociationFailure(w.rto).Latest}, w.heard)
	case w.unanswered.IsZero():
		return w.outside(settings.AssociationFailure(w.rto), w.heard)
	case w.detector == detection.AssociationUnprobed && len(e.lab.Paths()) == 1:
		return w.outside(settings.InFlightWithoutHeartbeats(w.rto), w.unanswered)
	}
	if answered := e.received(w, capture.All(capture.SCTP(capture.HEARTBEATACK), capture.After(w.unanswered))); len(answered) > 0 {
		// An answered HEARTBEAT sets the count of failures back to zero (net/sctp/sm_sideeffect.c,
		// sctp_cmd_transport_on).
		return w.outside(oracle.Window{Latest: settings.InFlight(w.rto).Latest}, answered[len(answered)-1].At)
	}
	return w.outside(settings.InFlight(w.rto), w.unanswered)
}
