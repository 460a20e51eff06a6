package matrix

import (
	"net/netip"
	"time"

	"github.com/halfopen-lab/halfopen/fixtures/detection"
)

// How long a watcher waits for its detector: longer than the slowest detector takes.
const (
	// quiet is for a watcher that sends nothing over TCP: keepalive with the kernel's values
	// takes 2 h 11 min.
	quiet = 3 * time.Hour
	// talking is for a watcher that sends, and for SCTP: retransmission takes up to 20 min
	// (oracle.GiveUp), HEARTBEATs take 11 min (oracle.SCTP.AssociationFailure).
	talking = 25 * time.Minute
	// prompt is for the answer of a living peer.
	prompt = 5 * time.Second
)

// watcher is a program with one detector and one connection. It makes one call at a time, so
// that the kernel reports an error only once.
type watcher struct {
	detector detection.Detector
	load     string

	transport transport

	local, remote netip.AddrPort
	rto           time.Duration // before the fault
	heard         time.Time     // when the last data from the peer arrived
	unanswered    time.Time     // when the first data after that was sent; zero if none was
	began         time.Time     // when the fault began

	outcome detection.Outcome
	at      time.Time // when the outcome came
}

// ready records what the rules need, just before the fault.
func (w *watcher) ready() {
	w.local, w.remote, w.rto = w.transport.facts()
	w.hear()
}

// beats reports whether the program has a heartbeat of its own.
func (w *watcher) beats() bool {
	return w.detector == detection.Heartbeat || w.detector == detection.AssociationHeartbeat
}

// interval returns the time between two messages of the program; zero means that it sends
// none.
func (w *watcher) interval() time.Duration {
	switch {
	case w.beats():
		return detection.BeatInterval
	case w.load == detection.Busy:
		return detection.LoadInterval
	}
	return 0
}

// watch runs the program until its detector is told something, or its time is over: longest
// for a program that sends nothing.
func (w *watcher) watch(begin time.Time, longest time.Duration) {
	w.began = begin
	interval, end := w.interval(), begin.Add(talking)
	if interval == 0 {
		end = begin.Add(longest)
	}
	next := end
	for tick := 1; ; tick++ {
		if interval > 0 {
			next = begin.Add(time.Duration(tick) * interval)
		}
		last := !next.Before(end)
		if last {
			next = end
		}
		as := w.listen(next)
		if as == "" && last {
			w.outcome = detection.Outcome{As: detection.Never}
			if w.transport.answered() {
				w.outcome.As = detection.Alive
			}
			return
		}
		if as == "" {
			as = w.checkAndSend()
		}
		if as != "" {
			w.at = time.Now()
			w.outcome = detection.Noticed(as, w.at.Sub(begin))
			return
		}
	}
}

// listen waits until an instant, and returns what the detector was told before, if anything.
func (w *watcher) listen(until time.Time) string {
	for {
		data, told := w.transport.wait(until)
		if !data {
			return told
		}
		w.hear()
	}
}

func (w *watcher) hear() { w.heard, w.unanswered = time.Now(), time.Time{} }

// checkAndSend checks the peer's silence, if the program has a heartbeat, and sends a message.
// It returns what the detector was told, if anything.
func (w *watcher) checkAndSend() string {
	if w.beats() && time.Since(w.heard) > detection.BeatTimeout {
		return detection.ToldSilence
	}
	message := []byte(".")
	if w.load == detection.Busy {
		message = make([]byte, detection.LoadSize)
	}
	before := time.Now()
	sent, told := w.transport.send(message)
	if sent && w.unanswered.IsZero() {
		w.unanswered = before
	}
	return told
}
