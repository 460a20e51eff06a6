package audit

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

// fixture is the peer where that is no program. It holds every connection of the program, all
// of them alike.
type fixture struct {
	listener *harness.Listener  // nil: it is the client
	stop     context.CancelFunc // it accepts and reads no more; nil: it never did

	mu    sync.Mutex
	conns []*harness.Conn // that neither side has ended
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
			t.hold(ctx, c)
		}
	}()
}

// dialFrom lets the fixture connect from a port, within the time that the program has to get
// ready, and hold the connection.
func (t *trial) dialFrom(port uint16) error {
	c := t.lab.Client.NewSocket("client")
	if err := c.Socket.Bind(t.lab.Client.AddressPort(port)); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(t.ctx, t.plan.Ready)
	defer cancel()
	if err := connect(ctx, c.Socket, t.lab.Server.AddressPort(t.plan.Port)); err != nil {
		return err
	}
	ctx, t.fixture.stop = context.WithCancel(t.life)
	t.hold(ctx, c)
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

// hold sends what the user has supplied on a connection of the fixture, and reads what comes
// until ctx ends. It closes the connection when the program has.
func (t *trial) hold(ctx context.Context, c *harness.Conn) {
	f := &t.fixture
	f.mu.Lock()
	f.conns = append(f.conns, c)
	f.mu.Unlock()
	go func() {
		_ = t.send(c.Socket) // reading has its error
		if !t.read(ctx, c.Socket) {
			return
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.conns = slices.DeleteFunc(f.conns, func(other *harness.Conn) bool { return other == c })
		_ = c.Socket.Close()
	}()
}

// read reads what comes on a connection of the fixture, and reports whether the program has
// ended it; false: ctx has ended.
func (t *trial) read(ctx context.Context, c *sock.Conn) (ended bool) {
	buffer := make([]byte, 64<<10)
	for {
		if err := c.AwaitReadable(ctx); err != nil {
			return false
		}
		n, err := c.Receive(buffer)
		if err == unix.EAGAIN {
			continue
		}
		if err != nil || n == 0 {
			return true
		}
		if t.plan.Echo {
			_, _ = c.Send(buffer[:n]) // the next Receive has its error
		}
	}
}

// each calls do for each connection of the fixture.
func (f *fixture) each(do func(*sock.Conn) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	for _, c := range f.conns {
		errs = append(errs, do(c.Socket))
	}
	return errors.Join(errs...)
}

// say lets the fixture send what the user has supplied on each of its connections.
func (t *trial) say() error { return t.fixture.each(t.send) }

// send sends what the user has supplied on a connection of the fixture.
func (t *trial) send(c *sock.Conn) error {
	message := []byte(t.plan.Send)
	for len(message) > 0 {
		n, err := c.Send(message)
		if err != nil {
			return fmt.Errorf("sending %d bytes: %w", len(message), err)
		}
		message = message[n:]
	}
	return nil
}

// stopReading lets the fixture accept and read no more.
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
	f.conns = nil
	return err
}
