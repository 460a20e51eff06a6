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

// association is the transport of a watcher over SCTP.
type association struct {
	end    *harness.Association
	buffer [4096]byte
}

// detectOverSCTP switches a detector on for an association.
func detectOverSCTP(a *harness.Association, d detection.Detector) *association {
	Expect(a.Socket.SetNoDelay()).To(Succeed())
	every := netip.AddrPort{}
	switch d {
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
	return &association{end: a}
}

// settingsOf returns the settings of SCTP for a detector.
func settingsOf(d detection.Detector) oracle.SCTP {
	if d == detection.AssociationTuned {
		return detection.SCTPTuned
	}
	return detection.SCTPDefault
}

func (a *association) converse() {
	_, told := a.send([]byte("hello"))
	Expect(told).To(BeEmpty())
	ctx, cancel := context.WithTimeout(context.Background(), prompt)
	defer cancel()
	for data := false; !data; {
		Expect(a.end.AwaitReadable(ctx)).To(Succeed())
		data, told = a.read()
		Expect(told).To(BeEmpty())
	}
}

func (a *association) facts() (local, remote netip.AddrPort, rto time.Duration) {
	local, remote = a.end.Local(), a.end.Remote()
	path, err := a.end.Socket.Path(remote)
	Expect(err).NotTo(HaveOccurred())
	return local, remote, path.RTO
}

func (a *association) wait(until time.Time) (data bool, told string) {
	ctx, cancel := context.WithDeadline(context.Background(), until)
	defer cancel()
	for {
		if err := a.end.AwaitReadable(ctx); err == context.DeadlineExceeded {
			return false, ""
		} else if err != nil {
			return false, sock.ErrnoName(err)
		}
		if data, told = a.read(); data || told != "" {
			return data, told
		}
	}
}

// read reads a message, if there is one.
func (a *association) read() (data bool, told string) {
	m, err := a.end.Socket.ReceiveMessage(a.buffer[:])
	switch {
	case err == unix.EAGAIN:
		return false, ""
	case err != nil:
		return false, sock.ErrnoName(err)
	case m.Zero():
		return false, detection.ToldZeroRead
	case !m.Notification:
		return true, ""
	}
	n, err := m.Notified()
	Expect(err).NotTo(HaveOccurred())
	if change, ok := n.(sock.AddressChange); ok && change.Now == sock.AddressUnreachable {
		return false, detection.ToldPathDown
	}
	return false, ""
}

func (a *association) send(message []byte) (sent bool, told string) {
	err := a.end.Socket.SendMessage(0, 0, message)
	if err != nil && err != unix.EAGAIN {
		told = sock.ErrnoName(err)
	}
	return err == nil, told
}

func (a *association) answered() bool {
	if sent, _ := a.send([]byte("?")); !sent {
		return false
	}
	data, _ := a.wait(time.Now().Add(prompt))
	return data
}
