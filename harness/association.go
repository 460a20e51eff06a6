package harness

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/harness/timeline"
)

// Association is an SCTP socket under test, an association or a listener. What a spec
// does with it is written to the timeline; what fails where it must not fails the spec.
// Its Socket has the same calls with their errnos, and leaves no trace in the timeline.
type Association struct {
	Socket *sock.SCTP
	end

	state sock.SCTPState // as last recorded
}

// NewAssociation makes an unconnected SCTP socket on the host, bound to its addresses of
// the lab's family, one on each path: it would offer the peer all of the host's addresses
// otherwise. Its name appears in the timeline.
func (h *Host) NewAssociation(name string, port uint16) *Association {
	h.lab.t.Helper()
	var s *sock.SCTP
	err := h.ns.Do(func() (err error) {
		s, err = sock.OpenSCTP(h.lab.config.Family)
		return err
	})
	if err == nil {
		err = s.BindAll(h.AddressPorts(port)...)
	}
	if err != nil {
		h.lab.t.Fatalf("making an SCTP socket on %s: %v", h.name, err)
	}
	return h.adoptAssociation(s, name)
}

func (h *Host) adoptAssociation(s *sock.SCTP, name string) *Association {
	a := &Association{Socket: s, end: end{h, name}, state: sock.SCTPClosed}
	h.associations = append(h.associations, a)
	return a
}

// Associations are those of the host, whichever program holds them.
func (h *Host) Associations() []sock.AssociationEntry {
	h.lab.t.Helper()
	entries, err := h.associationTable()
	if err != nil {
		h.lab.t.Fatalf("%s: %v", h.name, err)
	}
	return entries
}

func (h *Host) associationTable() (entries []sock.AssociationEntry, err error) {
	err = h.ns.Do(func() (err error) {
		entries, err = sock.Associations()
		return err
	})
	return entries, err
}

// Associate opens an association from the client to a port of the server and returns
// both ends, established. prepare may set up the client and the server's listener before
// they connect; nil leaves them as they are.
func (l *Lab) Associate(port uint16, prepare func(client, listener *Association)) (client, server *Association) {
	l.t.Helper()
	client, listener := l.Client.NewAssociation("client", 0), l.Server.NewAssociation("listener", port)
	defer func() { _ = listener.Socket.Close() }()
	if prepare != nil {
		prepare(client, listener)
	}
	if err := listener.Socket.Listen(16); err != nil {
		l.t.Fatalf("listening on %v of %s: %v", listener.Local(), l.Server.name, err)
	}
	client.MustConnect(l.Server.AddressPort(port))
	return client, listener.Accept("server")
}

// DialSCTP connects the client to a port of the server that listens, and fails the test
// when that does not succeed promptly.
func (l *Lab) DialSCTP(port uint16) *Association {
	l.t.Helper()
	client := l.Client.NewAssociation("client", 0)
	client.MustConnect(l.Server.AddressPort(port))
	return client
}

// Local returns the association's own address; the zero value when the socket is closed.
func (a *Association) Local() netip.AddrPort { return a.Socket.Local() }

// Remote returns the address of the other end; the zero value when there is none.
func (a *Association) Remote() netip.AddrPort { return a.Socket.Remote() }

// State returns the state that the kernel has the association in.
func (a *Association) State() (sock.SCTPState, error) { return a.Socket.State() }

// Connect is connect(2); EINPROGRESS says that the handshake has begun. Unlike MustConnect
// it fails no step.
func (a *Association) Connect(remote netip.AddrPort) error { return a.Socket.Connect(remote) }

// AwaitConnected waits until the handshake has succeeded or failed, and returns the
// kernel's errno, if any.
func (a *Association) AwaitConnected(ctx context.Context) error { return a.Socket.AwaitConnected(ctx) }

// AwaitReadable waits until there is something to read: a message, a notification, the
// peer's end, an error.
func (a *Association) AwaitReadable(ctx context.Context) error { return a.Socket.AwaitReadable(ctx) }

// Receive reads what is there, and returns the kernel's errno, if any; 0 bytes without an
// errno are the zero-read.
func (a *Association) Receive(p []byte) (int, error) { return a.Socket.Receive(p) }

// Poll returns what poll(2) reports of the events asked for.
func (a *Association) Poll(events int16) (int16, error) { return a.Socket.Poll(events) }

// Accept takes the next association from the listener's queue and names it.
func (a *Association) Accept(name string) *Association {
	a.Host.lab.t.Helper()
	ctx, cancel := a.Host.lab.context()
	defer cancel()
	s, err := a.Socket.AwaitAccept(ctx)
	if err != nil {
		a.Host.lab.t.Fatalf("accepting an association on %v of %s: %v\n%s", a.Local(), a.Host.name, err, a.Recent())
	}
	accepted := a.Host.adoptAssociation(s, name)
	accepted.record("accepts %v", s.Remote())
	return accepted
}

// MustConnect connects and waits until the association is established.
func (a *Association) MustConnect(remote netip.AddrPort) {
	a.Host.lab.t.Helper()
	ctx, cancel := a.Host.lab.context()
	defer cancel()
	err := a.Socket.Connect(remote)
	if err == unix.EINPROGRESS {
		err = a.Socket.AwaitConnected(ctx)
	}
	a.record("connects to %v: %s", remote, outcome(err))
	if err != nil {
		a.Host.lab.t.Fatalf("connecting %s to %v: %v\n%s", a.Name, remote, err, a.Recent())
	}
}

// Detect sets what decides when the peer is given up, for all paths. It is a detector:
// `make mutate` leaves it out.
func (a *Association) Detect(s oracle.SCTP) {
	a.Host.lab.t.Helper()
	a.Host.lab.perform(detector, fmt.Sprintf("%s sets %v", a.Name, s), func() error {
		return errors.Join(
			a.Socket.SetRTO(s.RTOInitial, s.RTOMin, s.RTOMax),
			a.Socket.SetPath(netip.AddrPort{}, s.Heartbeat, s.PathRetransmissions),
			a.Socket.SetAssociationRetransmissions(s.AssociationRetransmissions),
		)
	})
}

// Subscribe asks for notifications (sock.SCTP.Subscribe). It is a detector: `make mutate`
// leaves it out.
func (a *Association) Subscribe() {
	a.Host.lab.t.Helper()
	a.Host.lab.perform(detector, a.Name+" asks for notifications", a.Socket.Subscribe)
}

// Write sends text as one message and returns the kernel's errno, if any.
func (a *Association) Write(stream uint16, protocol uint32, text string) error {
	err := a.Socket.SendMessage(stream, protocol, []byte(text))
	a.record("writes %d bytes to stream %d: %s", len(text), stream, outcome(err))
	return err
}

// Read waits up to a second for a message or a notification and returns it; the zero
// Message is the zero-read.
func (a *Association) Read() (sock.Message, error) { return a.ReadWithin(time.Second) }

// ReadWithin is Read for another time to wait.
func (a *Association) ReadWithin(patience time.Duration) (sock.Message, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := a.Socket.AwaitReadable(ctx); err != nil {
		return sock.Message{}, fmt.Errorf("%s waits for something to read: %w", a.Name, err)
	}
	m, err := a.Socket.ReceiveMessage(make([]byte, 64<<10))
	a.record("reads %s", said(m, err))
	return m, err
}

// ReadToEnd reads until the peer's end, an error, or until nothing has come for as long
// as the patience, and returns what every read has given: a message's text in quotes, a
// notification, "0" for the zero-read, an errno, "nothing".
func (a *Association) ReadToEnd(patience time.Duration) []string {
	a.Host.lab.t.Helper()
	var all []string
	for {
		m, err := a.ReadWithin(patience)
		if errors.Is(err, context.DeadlineExceeded) {
			return append(all, "nothing")
		}
		all = append(all, said(m, err))
		if err != nil || m.Zero() {
			return all
		}
	}
}

// said is what a read has given, in words.
func said(m sock.Message, err error) string {
	switch {
	case err != nil:
		return sock.ErrnoName(err)
	case m.Zero():
		return "0"
	case !m.Notification:
		return fmt.Sprintf("%q", m.Data)
	}
	n, err := m.Notified()
	if err != nil {
		return err.Error()
	}
	return n.String()
}

// Shutdown is shutdown(SHUT_WR): what was sent is delivered, and then SHUTDOWN goes out.
// Unlike TCP the association is over with it in both directions (RFC 9260 §9.2).
func (a *Association) Shutdown() {
	a.step("shuts down", func() error { return a.Socket.Shutdown(unix.SHUT_WR) })
}

// Close is close(2): SHUTDOWN, or ABORT when received data was not read.
func (a *Association) Close() { a.step("closes", a.Socket.Close) }

// Abort closes with linger 0: ABORT.
func (a *Association) Abort() { a.step("aborts (close with linger 0)", a.Socket.Abort) }

// Record adds an event of this association to the timeline.
func (a *Association) Record(what string) { a.record("%s", what) }

func (a *Association) record(format string, args ...any) {
	a.note(format, args...)
	a.observe()
	a.Host.lab.settle()
}

// observe records the association's state when it is not what it was.
func (a *Association) observe() {
	state, err := a.State()
	if err != nil || state == a.state {
		return
	}
	a.state = state
	a.Host.lab.timeline.Addf(a.Host.name, timeline.State, "%s is %v", a.Name, state)
}
