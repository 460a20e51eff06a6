package audit

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/fixtures/conversation"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

// fixture is the peer where that is no program. It holds every connection of the program, all
// of them alike.
type fixture struct {
	listener *harness.Listener  // nil: it is the client
	stop     context.CancelFunc // it accepts and reads no more; nil: it never did

	mu     sync.Mutex
	held   []held
	heard  []said // in the conversations of all connections
	paused bool   // its conversations stand still, also those to come

	noDelay bool // it sends answers at once, also those that follow each other (TCP_NODELAY)
}

// held is a connection that the fixture holds.
type held struct {
	*harness.Conn
	session *conversation.Session
}

// said is an event of the conversation on one connection.
type said struct {
	conversation.Event
	client uint16 // the client's port
}

// backlog is that of the fixture's listening socket.
const backlog = 128

// listen lets the fixture listen, and hold each connection that comes.
func (t *trial) listen() {
	listener := t.lab.Server.Listen(t.plan.Port, backlog)
	var ctx context.Context
	ctx, t.fixture.stop = context.WithCancel(t.life)
	t.fixture.listener = listener
	go func() {
		for {
			c, err := listener.AwaitAccept(ctx, "server")
			if err != nil {
				return
			}
			t.hold(ctx, c, c.Remote().Port())
		}
	}()
}

// dialFrom lets the fixture connect from a port, until ctx ends, and hold the connection.
func (t *trial) dialFrom(ctx context.Context, port uint16) error {
	c := t.lab.Client.NewSocket("client")
	if err := c.Socket.Bind(t.lab.Client.AddressPort(port)); err != nil {
		return err
	}
	if err := connect(ctx, c.Socket, t.lab.Server.AddressPort(t.plan.Port)); err != nil {
		return err
	}
	if t.fixture.stop != nil { // of an earlier connection
		t.fixture.stop()
	}
	ctx, t.fixture.stop = context.WithCancel(t.life)
	t.hold(ctx, c, port)
	return nil
}

// connect connects a socket.
func connect(ctx context.Context, c *sock.Conn, to netip.AddrPort) error {
	err := c.Connect(to)
	if err == unix.EINPROGRESS {
		err = c.AwaitConnected(ctx)
	}
	return err
}

// hold lets the fixture hold its conversation on a connection, until the connection is over or ctx
// ends.
func (t *trial) hold(ctx context.Context, c *harness.Conn, client uint16) {
	session := t.session(c.Socket, client)
	t.fixture.hold(held{c, session})
	go func() {
		_ = session.Run(ctx) // its last event has the error
		if ctx.Err() == nil {
			t.fixture.letGo(c)
		}
	}()
}

// hold notes that the fixture holds a connection.
func (f *fixture) hold(h held) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.held = append(f.held, h)
	if f.noDelay {
		_ = h.Socket.SetOption(unix.IPPROTO_TCP, unix.TCP_NODELAY, 1) // the connection may be over
	}
	if f.paused {
		h.session.Pause()
	}
}

// letGo notes that it does not any more.
func (f *fixture) letGo(c *harness.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.held = slices.DeleteFunc(f.held, func(h held) bool { return h.Conn == c })
}

// open returns the connections that neither side has ended.
func (f *fixture) open() []held {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.held)
}

// each calls do for each connection that neither side has ended.
func (f *fixture) each(do func(*sock.Conn) error) error {
	var errs []error
	for _, h := range f.open() {
		errs = append(errs, do(h.Socket))
	}
	return errors.Join(errs...)
}

// pause makes the fixture stand still, as SIGSTOP does with a program.
func (f *fixture) pause() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.paused = true
	for _, h := range f.held {
		h.session.Pause()
	}
}

// resume lets the fixture go on.
func (f *fixture) resume() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.paused = false
	for _, h := range f.held {
		h.session.Resume()
	}
}

// stopReading lets the fixture accept and read no more, and say nothing.
func (t *trial) stopReading() {
	if t.fixture.stop != nil {
		t.fixture.stop()
	}
}

// end ends the fixture as the kernel ends a process that is killed: it closes its sockets.
func (f *fixture) end() error {
	f.stop()
	if f.listener != nil {
		f.listener.Close()
	}
	err := f.each((*sock.Conn).Close)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.held = nil
	return err
}
