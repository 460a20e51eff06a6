package harness

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

// Association is an SCTP socket under test: an association or a listener. Its methods add what they
// do to the timeline. Methods that return an error fail no step; others fail the step if their call
// fails.
type Association struct {
	Socket *sock.SCTP // the raw socket: its calls add nothing to the timeline
	endpoint

	state sock.SCTPState // in the timeline
}

// NewAssociation makes an unconnected SCTP socket on the host. It binds the socket to the host's
// addresses of the lab's family, one on each path: an unbound socket would announce all addresses of
// the host. Port 0 lets the kernel choose. name appears in the timeline. It fails the step if the
// kernel has no SCTP or the port is in use.
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
	a := &Association{Socket: s, endpoint: endpoint{h, name}, state: sock.SCTPClosed}
	h.adopting.Lock()
	defer h.adopting.Unlock()
	h.associations = append(h.associations, a)
	return a
}

// adoptedAssociations returns the SCTP sockets under test that the host has so far.
func (h *Host) adoptedAssociations() []*Association {
	h.adopting.Lock()
	defer h.adopting.Unlock()
	return slices.Clone(h.associations)
}

// Associations returns the SCTP associations of the host, whichever program holds them. It fails the
// step if the kernel's table cannot be read.
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

// Associate opens an association from the client to a port of the server and returns both ends,
// established. It calls prepare, unless that is nil, with the client and the server's listener before
// the client connects. It fails the step if the association is not established within 5 s.
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

// DialSCTP connects the client to a listening port of the server. It fails the step if the association
// is not established within 5 s.
func (l *Lab) DialSCTP(port uint16) *Association {
	l.t.Helper()
	client := l.Client.NewAssociation("client", 0)
	client.MustConnect(l.Server.AddressPort(port))
	return client
}

// Local returns the association's own address; the zero AddrPort after Close.
func (a *Association) Local() netip.AddrPort { return a.Socket.Local() }

// Remote returns the address of the other end; the zero AddrPort while there is none.
func (a *Association) Remote() netip.AddrPort { return a.Socket.Remote() }

// State returns the association's state; sock.SCTPClosed for a socket without an association;
// os.ErrClosed after Close.
func (a *Association) State() (sock.SCTPState, error) { return a.Socket.State() }

// Connect calls connect(2): EINPROGRESS means that the handshake has begun. AwaitConnected waits for
// its outcome.
func (a *Association) Connect(remote netip.AddrPort) error { return a.Socket.Connect(remote) }

// AwaitConnected waits until the handshake has succeeded or failed, and returns nil or the errno;
// context.Cause(ctx) if ctx ends first.
func (a *Association) AwaitConnected(ctx context.Context) error { return a.Socket.AwaitConnected(ctx) }

// AwaitReadable waits until a read would not block: a message, a notification, the zero-read or an
// error has come. It returns context.Cause(ctx) if ctx ends first.
func (a *Association) AwaitReadable(ctx context.Context) error { return a.Socket.AwaitReadable(ctx) }

// Receive calls recv(2) without blocking. It returns the number of bytes and the errno: EAGAIN if
// there is nothing to read yet. 0 bytes without an errno are the zero-read.
func (a *Association) Receive(p []byte) (int, error) { return a.Socket.Receive(p) }

// Poll calls poll(2) without waiting: it returns which of the events, and of POLLERR and POLLHUP, hold
// now.
func (a *Association) Poll(events int16) (int16, error) { return a.Socket.Poll(events) }

// AwaitAccept waits for the next association of a listener and accepts it. Unlike Accept it is no
// step: any goroutine may call it. It ends early as Socket.AwaitAccept does.
func (a *Association) AwaitAccept(ctx context.Context, name string) (*Association, error) {
	s, err := a.Socket.AwaitAccept(ctx)
	if err != nil {
		return nil, err
	}
	accepted := a.Host.adoptAssociation(s, name)
	accepted.note("accepts %v", s.Remote())
	return accepted, nil
}

// Accept waits up to 5 s for the next association of a listener and accepts it. name appears in the
// timeline. It fails the step if no association comes.
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

// MustConnect connects and waits up to 5 s until the association is established. It fails the step if
// connecting fails.
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

// Detect sets when the kernel gives up the peer, for all paths. It fails the step for settings that
// the kernel refuses. Its step is a detector (variable HALFOPEN_LEAVE_OUT).
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

// Subscribe asks for notifications (sock.SCTP.Subscribe). It fails the step after Close. Its step
// is a detector (variable HALFOPEN_LEAVE_OUT).
func (a *Association) Subscribe() {
	a.Host.lab.t.Helper()
	a.Host.lab.perform(detector, a.Name+" asks for notifications", a.Socket.Subscribe)
}

// Write sends text as one message on a stream, with a payload protocol identifier, and returns nil or
// the errno.
func (a *Association) Write(stream uint16, protocol uint32, text string) error {
	err := a.Socket.SendMessage(stream, protocol, []byte(text))
	a.record("writes %d bytes to stream %d: %s", len(text), stream, outcome(err))
	return err
}

// Read waits up to 1 s for a message or a notification and returns it; the zero Message is the
// zero-read. The error is the errno, or wraps context.DeadlineExceeded when nothing has come within
// the second.
func (a *Association) Read() (sock.Message, error) { return a.ReadWithin(time.Second) }

// ReadWithin reads as Read does, but waits up to timeout.
func (a *Association) ReadWithin(timeout time.Duration) (sock.Message, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if err := a.Socket.AwaitReadable(ctx); err != nil {
		return sock.Message{}, fmt.Errorf("waiting until %s can read: %w", a.Name, err)
	}
	m, err := a.Socket.ReceiveMessage(make([]byte, 64<<10))
	a.record("reads %s", readOutcome(m, err))
	return m, err
}

// ReadToEnd reads until the zero-read, an error, or until nothing has come for timeout. It returns the
// outcome of each read as text: a message in quotes, a notification, "0" for the zero-read, an errno,
// "nothing" at the end of the timeout.
func (a *Association) ReadToEnd(timeout time.Duration) []string {
	a.Host.lab.t.Helper()
	var all []string
	for {
		m, err := a.ReadWithin(timeout)
		if errors.Is(err, context.DeadlineExceeded) {
			return append(all, "nothing")
		}
		all = append(all, readOutcome(m, err))
		if err != nil || m.Zero() {
			return all
		}
	}
}

// readOutcome returns the outcome of a read as text.
func readOutcome(m sock.Message, err error) string {
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

// Shutdown calls shutdown(SHUT_WR): the kernel delivers what was sent, and then sends SHUTDOWN. Unlike
// a FIN, SHUTDOWN ends the association in both directions (RFC 9260 §9.2).
func (a *Association) Shutdown() {
	a.step("shuts down", func() error { return a.Socket.Shutdown(unix.SHUT_WR) })
}

// Close calls close(2): the kernel sends SHUTDOWN, or ABORT if received data was not read. Closing
// twice fails the step.
func (a *Association) Close() { a.step("closes", a.Socket.Close) }

// Abort closes with a linger time of 0: the kernel sends ABORT. It fails the step after Close.
func (a *Association) Abort() { a.step("aborts (close with linger 0)", a.Socket.Abort) }

// Record adds an event of the association to the timeline.
func (a *Association) Record(what string) { a.record("%s", what) }

func (a *Association) record(format string, args ...any) {
	a.note(format, args...)
	a.observe()
	a.Host.lab.settle()
}

// observe adds the association's state to the timeline if it has changed.
func (a *Association) observe() {
	if state, err := a.State(); err == nil {
		a.changed(state)
	}
}

// changed adds a state to the timeline if it is another one than before.
func (a *Association) changed(state sock.SCTPState) {
	if state != a.state {
		a.state = state
		a.Host.lab.timeline.Add(stateEvent(a.Host, a.Name, state))
	}
}
