package matrix

import (
	"net/netip"
	"time"

	"github.com/halfopen-lab/halfopen/fixtures/detection"
)

// How long a watcher waits for its detector: longer than the slowest can take.
const (
	// quiet is for who sends nothing over TCP: keepalive at its defaults takes 2 h 11 min.
	quiet = 3 * time.Hour
	// talking is for who sends: retransmission takes up to 20 min (oracle.GiveUp), and
	// SCTP's HEARTBEATs 11 min (oracle.SCTP.AssociationFailure).
	talking = 25 * time.Minute
	// prompt is for an answer of a peer that lives.
	prompt = 5 * time.Second
)

// watcher is a program with one detector and one connection. It does nothing else in
// the same instant, so that it is told of an error only once.
type watcher struct {
	detector detection.Detector
	load     string

	transport transport

	local, remote netip.AddrPort
	rto           time.Duration // before the fault
	heard         time.Time     // when the last data came from the peer
	unanswered    time.Time     // when the first data after that was sent; zero: none was
	began         time.Time     // when the fault began

	outcome detection.Outcome
	at      time.Time // of the outcome
}

// ready takes down what the rules need, just before the fault.
func (w *watcher) ready() {
	w.local, w.remote, w.rto = w.transport.facts()
	w.hear()
}

// beats says that the program has a heartbeat of its own.
func (w *watcher) beats() bool {
	return w.detector == detection.Heartbeat || w.detector == detection.AssociationHeartbeat
}

// interval is how often the program sends something; zero: it does not.
func (w *watcher) interval() time.Duration {
	switch {
	case w.beats():
		return detection.BeatInterval
	case w.load == detection.Busy:
		return detection.LoadInterval
	}
	return 0
}

// watch runs the program until it has noticed something, or its time is over: the longest
// for one that sends nothing.
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
			as = w.speak()
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

// speak looks at the watch where there is a heartbeat, and sends.
func (w *watcher) speak() string {
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
