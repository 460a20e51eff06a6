package sock

import (
	"context"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Listener is a listening TCP socket.
type Listener struct{ conn *Conn }

// Listen makes a listening socket on local in the calling thread's namespace,
// with SO_REUSEADDR, so that TIME_WAIT of an earlier connection is no obstacle.
// The kernel caps backlog at net.core.somaxconn without a word (listen(2)).
func Listen(local netip.AddrPort, backlog int) (*Listener, error) {
	c, err := Socket(Family(familyOf(local)))
	if err != nil {
		return nil, err
	}
	err = c.Control(func(fd int) error {
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
			return err
		}
		if err := unix.Bind(fd, Sockaddr(local)); err != nil {
			return err
		}
		return unix.Listen(fd, backlog)
	})
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return &Listener{c}, nil
}

// Accept is one accept4(2) without blocking: EAGAIN when the accept queue is empty.
func (l *Listener) Accept() (*Conn, error) {
	fd, err := l.conn.accept()
	if err != nil {
		return nil, err
	}
	return NewConn(fd)
}

// AwaitAccept waits for the next connection. It ends early as Conn.AwaitReadable
// does.
func (l *Listener) AwaitAccept(ctx context.Context) (*Conn, error) {
	fd, err := l.conn.awaitAccept(ctx)
	if err != nil {
		return nil, err
	}
	return NewConn(fd)
}

func (c *socket) accept() (fd int, err error) {
	err = c.Control(func(listener int) (err error) {
		fd, err = ignoringEINTR(func() (int, error) {
			fd, _, err := unix.Accept4(listener, unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
			return fd, err
		})
		return err
	})
	return fd, err
}

// awaitAccept does not accept before there is a connection: without a free descriptor
// that would be EMFILE though nobody waits (net/socket.c, __sys_accept4 takes the
// descriptor first).
func (c *socket) awaitAccept(ctx context.Context) (fd int, err error) {
	for {
		if err := c.AwaitReadable(ctx); err != nil {
			return -1, err
		}
		if fd, err = c.accept(); err != unix.EAGAIN {
			return fd, err
		}
	}
}

// Local is the address it listens on.
func (l *Listener) Local() netip.AddrPort { return l.conn.Local() }

// Control runs f with the descriptor.
func (l *Listener) Control(f func(fd int) error) error { return l.conn.Control(f) }

// Close stops listening. Connections that wait in the accept queue are reset.
func (l *Listener) Close() error { return l.conn.Close() }
