package matrix

import (
	"context"
	"net/netip"
	"time"

	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/fixtures/detection"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

// How long a watcher waits for its detector: longer than the slowest can take.
const (
	// quiet is for who sends nothing: keepalive at its defaults takes 2 h 11 min.
	quiet = 3 * time.Hour
	// talking is for who sends: retransmission takes up to 20 min (oracle.GiveUp).
	talking = 25 * time.Minute
	// prompt is for an answer of a peer that lives.
	prompt = 5 * time.Second
)

// watcher is a program with one detector and one connection. It does nothing else in
// the same instant, so that it is told of an error only once.
type watcher struct {
	detector detection.Detector
	load     string
	conn     *harness.Conn
	buffer   [4096]byte // for reading: a new one each time would be most of the garbage

	local, remote netip.AddrPort // the connection's, which it forgets when it ends
	rto           time.Duration  // before the fault
	quietSince    time.Time      // the kernel's view: the last segment from the peer
	heard         time.Time      // the program's view: the last data from the peer
	unanswered    time.Time      // what was sent first after that; zero: nothing

	outcome detection.Outcome
	at      time.Time // of the outcome
}

// adopt takes a connection and switches the detector on. It does not go through the
// harness's own steps, which must each make a difference: in the matrix most make none.
func (w *watcher) adopt(c *harness.Conn) {
	w.conn, w.local = c, c.Local()
	switch w.detector {
	case detection.KeepaliveDefault:
		Expect(c.SetKeepalive(0, 0, 0)).To(Succeed())
	case detection.KeepaliveTuned:
		Expect(c.SetKeepalive(detection.Tuned.Idle, detection.Tuned.Interval, detection.Tuned.Count)).To(Succeed())
	case detection.UserTimeout:
		Expect(c.SetUserTimeout(detection.Unacknowledged)).To(Succeed())
	}
}

// ready takes down what the rules go by, just before the fault.
func (w *watcher) ready() {
	w.local, w.remote, w.rto = w.conn.Local(), w.conn.Remote(), w.conn.RTO()
	w.heard = time.Now()
	w.quietSince = w.heard
}

// interval is how often the program sends something; zero: it does not.
func (w *watcher) interval() time.Duration {
	switch {
	case w.detector == detection.Heartbeat:
		return detection.BeatInterval
	case w.load == detection.Busy:
		return detection.LoadInterval
	}
	return 0
}

// watch runs the program until it has noticed something, or its time is over.
func (w *watcher) watch(begin time.Time) {
	interval, end := w.interval(), begin.Add(talking)
	if interval == 0 {
		end = begin.Add(quiet)
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
			w.outcome = detection.Outcome{As: w.still()}
			return
		}
		if as == "" {
			as = w.send()
		}
		if as != "" {
			w.at = time.Now()
			w.outcome = detection.Noticed(as, w.at.Sub(begin))
			return
		}
	}
}

// wait waits until an instant and returns what the detector was told before, if
// anything.
func (w *watcher) wait(until time.Time) string {
	switch w.detector {
	case detection.WriteError:
		time.Sleep(time.Until(until))
		return w.discard()
	case detection.EpollRDHUP:
		if events := awaitHangUp(w.conn, until); events != "" {
			return events
		}
		return w.discard()
	}
	ctx, cancel := context.WithDeadline(context.Background(), until)
	defer cancel()
	for {
		if err := w.conn.AwaitReadable(ctx); err == context.DeadlineExceeded {
			return ""
		} else if err != nil {
			return sock.ErrnoName(err)
		}
		n, err := w.conn.Receive(w.buffer[:])
		switch {
		case err != nil && err != unix.EAGAIN:
			return sock.ErrnoName(err)
		case err == nil && n == 0:
			return "zero-read"
		case n > 0:
			w.hear()
		}
	}
}

// discard reads what has come, and not a byte more, so that it is told nothing.
func (w *watcher) discard() string {
	queues, err := w.conn.Queues()
	if err == nil && queues.Received > 0 {
		if n, err := w.conn.Receive(make([]byte, queues.Received)); err == nil && n > 0 {
			w.hear()
		}
	}
	return ""
}

func (w *watcher) hear() { w.heard, w.quietSince, w.unanswered = time.Now(), time.Now(), time.Time{} }

// send looks at the watch where there is a heartbeat, and sends. A full queue is no
// error: a program tries again later.
func (w *watcher) send() string {
	if w.detector == detection.Heartbeat && time.Since(w.heard) > detection.BeatTimeout {
		return "silence"
	}
	message := []byte(".")
	if w.load == detection.Busy {
		message = make([]byte, detection.LoadSize)
	}
	before := time.Now()
	n, err := w.conn.Send(message)
	if n > 0 && w.unanswered.IsZero() {
		w.unanswered = before
	}
	if err != nil && err != unix.EAGAIN {
		return sock.ErrnoName(err)
	}
	return ""
}

// still says what a connection is of which nothing was noticed: Alive when its peer
// still answers.
func (w *watcher) still() string {
	w.discard()
	if _, err := w.conn.Send([]byte("?")); err != nil {
		return detection.Never
	}
	ctx, cancel := context.WithTimeout(context.Background(), prompt)
	defer cancel()
	if w.conn.AwaitReadable(ctx) != nil {
		return detection.Never
	}
	if n, err := w.conn.Receive(make([]byte, 1)); err != nil || n == 0 {
		return detection.Never
	}
	return detection.Alive
}
