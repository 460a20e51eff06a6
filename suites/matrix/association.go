package matrix

import (
	"context"
	"net/netip"
	"time"

	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/fixtures/detection"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

// association is a watcher's program over SCTP.
type association struct {
	*watcher
	end    *harness.Association
	buffer [4096]byte
}

// associate takes an association and switches the detector on, as adopt does.
func (w *watcher) associate(a *harness.Association) {
	w.program, w.local = &association{watcher: w, end: a}, a.Local()
	Expect(a.Socket.SetNoDelay()).To(Succeed())
	every := netip.AddrPort{}
	switch w.detector {
	case detection.PathDown:
		Expect(a.Socket.Subscribe()).To(Succeed())
	case detection.AssociationTuned:
		s := detection.SCTPTuned
		Expect(a.Socket.SetRTO(s.RTOInitial, s.RTOMin, s.RTOMax)).To(Succeed())
		Expect(a.Socket.SetPath(every, s.Heartbeat, s.PathRetransmissions)).To(Succeed())
		Expect(a.Socket.SetAssociationRetransmissions(s.AssociationRetransmissions)).To(Succeed())
	case detection.AssociationUnprobed, detection.AssociationHeartbeat:
		Expect(a.Socket.DisableHeartbeat(every)).To(Succeed())
	}
}

// settings are those in force.
func (a *association) settings() oracle.SCTP {
	if a.detector == detection.AssociationTuned {
		return detection.SCTPTuned
	}
	return detection.SCTPDefault
}

func (a *association) converse() {
	_, told := a.send([]byte("hello"))
	Expect(told).To(BeEmpty())
	ctx, cancel := context.WithTimeout(context.Background(), prompt)
	defer cancel()
	for a.heard.IsZero() {
		Expect(a.end.AwaitReadable(ctx)).To(Succeed())
		Expect(a.read()).To(BeEmpty())
	}
	a.local, a.remote = a.end.Local(), a.end.Remote()
	path, err := a.end.Socket.Path(a.remote)
	Expect(err).NotTo(HaveOccurred())
	a.rto = path.RTO
}

func (a *association) wait(until time.Time) string {
	ctx, cancel := context.WithDeadline(context.Background(), until)
	defer cancel()
	for {
		if err := a.end.AwaitReadable(ctx); err == context.DeadlineExceeded {
			return ""
		} else if err != nil {
			return sock.ErrnoName(err)
		}
		if told := a.read(); told != "" {
			return told
		}
	}
}

// read takes what is there, and returns what it told the detector, if anything.
func (a *association) read() string {
	m, err := a.end.Socket.ReceiveMessage(a.buffer[:])
	switch {
	case err == unix.EAGAIN:
		return ""
	case err != nil:
		return sock.ErrnoName(err)
	case m.Zero():
		return "zero-read"
	case !m.Notification:
		a.hear()
		return ""
	}
	n, err := m.Notified()
	Expect(err).NotTo(HaveOccurred())
	if change, ok := n.(sock.AddressChange); ok && change.Now == sock.AddressUnreachable {
		return "path down"
	}
	return ""
}

func (a *association) send(message []byte) (sent bool, told string) {
	err := a.end.Socket.SendMessage(0, 0, message)
	if err != nil && err != unix.EAGAIN {
		told = sock.ErrnoName(err)
	}
	return err == nil, told
}

func (a *association) answered() bool {
	before := a.heard
	if sent, _ := a.send([]byte("?")); !sent {
		return false
	}
	ctx, cancel := context.WithTimeout(context.Background(), prompt)
	defer cancel()
	for a.heard == before {
		if a.end.AwaitReadable(ctx) != nil || a.read() != "" {
			return false
		}
	}
	return true
}
