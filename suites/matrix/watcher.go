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
	program

	local, remote netip.AddrPort // the connection's, which it forgets when it ends
	rto           time.Duration  // before the fault
	quietSince    time.Time      // the kernel's view: the last packet from the peer
	heard         time.Time      // the program's view: the last data from the peer
	unanswered    time.Time      // what was sent first after that; zero: nothing
	began         time.Time      // the fault

	outcome detection.Outcome
	at      time.Time // of the outcome
}

// program is what a watcher does over its protocol: connection is for TCP, and
// association for SCTP.
type program interface {
	// converse exchanges a word with the peer, just before the fault.
	converse()
	// wait waits until an instant and returns what the detector was told before, if
	// anything.
	wait(until time.Time) string
	// send sends a message and returns the error that the detector was told, if any. A
	// full queue is no error: a program tries again later.
	send(message []byte) (sent bool, told string)
	// answered says whether the peer answers a message at the end, promptly.
	answered() bool
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
		as := w.wait(next)
		if as == "" && last {
			w.outcome = detection.Outcome{As: detection.Never}
			if w.answered() {
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

func (w *watcher) hear() { w.heard, w.quietSince, w.unanswered = time.Now(), time.Now(), time.Time{} }

// speak looks at the watch where there is a heartbeat, and sends.
func (w *watcher) speak() string {
	if w.beats() && time.Since(w.heard) > detection.BeatTimeout {
		return "silence"
	}
	message := []byte(".")
	if w.load == detection.Busy {
		message = make([]byte, detection.LoadSize)
	}
	before := time.Now()
	sent, told := w.send(message)
	if sent && w.unanswered.IsZero() {
		w.unanswered = before
	}
	return told
}
