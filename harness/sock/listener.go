package sock

import (
	"context"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Listener is a listening TCP socket.
type Listener struct{ conn *Conn }

// Listen makes a listening socket on local in the calling thread's network namespace. It sets
// SO_REUSEADDR, so connections in TIME_WAIT do not hold the port. Port 0 lets the kernel choose.
// The kernel silently caps backlog at net.core.somaxconn (listen(2)).
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

// Accept calls accept4(2) once, without blocking: EAGAIN when the accept queue is empty.
func (l *Listener) Accept() (*Conn, error) {
	fd, err := l.conn.accept()
	if err != nil {
		return nil, err
	}
	return NewConn(fd)
}

// AwaitAccept waits for the next connection and accepts it. It ends early as Conn.AwaitReadable
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

// awaitAccept waits for the next connection and accepts it. It waits first, because accept4(2)
// takes a descriptor before it looks into the queue (net/socket.c, __sys_accept4): with no free
// descriptor it would return EMFILE although no connection has come.
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

// Local returns the address that the socket listens on.
func (l *Listener) Local() netip.AddrPort { return l.conn.Local() }

// Control calls f with the descriptor, as Conn.Control does.
func (l *Listener) Control(f func(fd int) error) error { return l.conn.Control(f) }

// Close closes the socket. The kernel resets the connections in the accept queue.
func (l *Listener) Close() error { return l.conn.Close() }
