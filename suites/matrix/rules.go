package matrix

import (
	"fmt"
	"slices"
	"time"

	"github.com/halfopen-lab/halfopen/fixtures/detection"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/oracle"
)

// brokenRule says which rule an outcome breaks, or returns "". What a detector was told
// implies that a packet has arrived, or at what time it can have been told. Which detector is
// told what under which fault is decided by the committed matrix alone.
func (e *ends) brokenRule(f fault, w *watcher) string {
	if f.protocol == detection.SCTP {
		return e.brokenOverSCTP(w)
	}
	as := w.outcome.As
	reset, fin := e.got(w, capture.RST), e.got(w, capture.FIN)
	switch {
	case as == detection.Never || as == detection.Alive:
		return ""
	case as == detection.ToldSilence:
		return w.outside(oracle.Silence(detection.BeatTimeout, detection.BeatInterval), w.heard)
	case as == detection.ToldZeroRead || as == "RDHUP": // RFC 9293 §3.10.4, Receive in CLOSE-WAIT
		return unless(fin, "no FIN has arrived")
	case as == "EPIPE": // an earlier write was answered with RST (tcp_reset, CLOSE_WAIT)
		return unless(fin && reset, "a FIN and an RST have not both arrived")
	case as == "ECONNRESET" || as != "ETIMEDOUT" && reset: // epoll does not report the errno
		return unless(reset, "no RST has arrived")
	case f.connecting && w.detector == detection.UserTimeout:
		return w.outside(oracle.Around(detection.Unacknowledged), w.heard)
	case f.connecting:
		syns := oracle.SYNs(e.lab.Client.LinearSYNTimeouts(), oracle.SYNRetries)
		return w.outside(oracle.Around(syns[len(syns)-1]), w.heard)
	case e.got(w, capture.ZeroWindow):
		return w.outside(oracle.ZeroWindowUserTimeout(detection.Unacknowledged, w.rto), w.windowClosed(e))
	case w.unanswered.IsZero() && w.detector == detection.KeepaliveDefault:
		return w.outside(detection.Default.Death(), w.heard)
	case w.unanswered.IsZero():
		return w.outside(detection.Tuned.Death(), w.heard)
	case w.detector == detection.UserTimeout:
		return w.outside(oracle.UserTimeout(detection.Unacknowledged, w.rto), w.unanswered)
	}
	return w.outside(oracle.GiveUp(oracle.Retries2, w.rto), w.unanswered)
}

// got reports whether a matching packet has arrived for the watcher's connection.
func (e *ends) got(w *watcher, match capture.Match) bool { return len(e.received(w, match)) > 0 }

func (e *ends) received(w *watcher, match capture.Match) []capture.Packet {
	packets := e.near.Received(capture.All(capture.From(w.remote), match))
	return slices.DeleteFunc(packets, func(p capture.Packet) bool { return p.Dst != w.local })
}

func (w *watcher) windowClosed(e *ends) time.Time { return e.received(w, capture.ZeroWindow)[0].At }

// outside says that the outcome did not come within a window, or returns "".
func (w *watcher) outside(window oracle.Window, since time.Time) string {
	if w.detector == detection.WriteError && w.load == detection.Busy {
		window.Latest += detection.LoadInterval // the detector is told at its next write
	}
	took := w.at.Sub(since)
	return unless(window.Contains(took), fmt.Sprintf("it came after %v, and should %v", took.Round(time.Millisecond), window))
}

func unless(holds bool, what string) string {
	if holds {
		return ""
	}
	return what
}
