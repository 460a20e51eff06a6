package harness

import (
	"context"
	"net/netip"

	"github.com/halfopen-lab/halfopen/harness/sock"
)

// Listener is a listening TCP socket under test, made by Host.Listen. Host.Listener returns a
// net.Listener for Go's servers.
type Listener struct {
	Socket *sock.Listener
	Host   *Host
}

// Local returns the address that the listener is bound to.
func (l *Listener) Local() netip.AddrPort { return l.Socket.Local() }

// Close closes the listener. The kernel resets the connections in its accept queue, and answers
// later SYNs with RST. Closing twice does nothing.
func (l *Listener) Close() { _ = l.Socket.Close() }

// AwaitAccept waits until the next connection has come and accepts it. Unlike Accept it is no step:
// any goroutine may call it. It returns context.Cause(ctx) if ctx ends first, and an error after
// Close.
func (l *Listener) AwaitAccept(ctx context.Context, name string) (*Conn, error) {
	c, err := l.Socket.AwaitAccept(ctx)
	if err != nil {
		return nil, err
	}
	conn := l.Host.adopt(c, name)
	conn.note("accepts %v", c.Remote())
	return conn, nil
}

// Accept waits up to 5 s for the next connection and accepts it. name appears in the timeline. It
// fails the step if no connection comes.
func (l *Listener) Accept(name string) *Conn {
	l.Host.lab.t.Helper()
	ctx, cancel := l.Host.lab.context()
	defer cancel()
	c, err := l.Socket.AwaitAccept(ctx)
	if err != nil {
		l.Host.lab.t.Fatalf("accepting a connection on %v of %s: %v\n%s", l.Local(), l.Host.name, err, l.Host.lab.Recent())
	}
	conn := l.Host.adopt(c, name)
	conn.record("accepts %v", c.Remote())
	return conn
}
