package sock

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Conn is one TCP socket. Its methods make one system call each and return the
// kernel's errno unwrapped, so that == and errors.Is both work. Every call is
// non-blocking; AwaitReadable and AwaitWritable are the ways to wait. It is safe
// for concurrent use.
type Conn struct{ socket }

// socket is what TCP and SCTP sockets have in common.
type socket struct {
	file *os.File // non-blocking: Go's poller waits for it, and Close wakes the waiter
	raw  syscall.RawConn
	// The file has one deadline for each direction: waiters take turns.
	reading, writing chan struct{}
}

// NewConn takes over fd, a stream socket. It makes it non-blocking.
func NewConn(fd int) (*Conn, error) {
	s, err := newSocket(fd)
	if err != nil {
		return nil, err
	}
	return &Conn{s}, nil
}

func newSocket(fd int) (socket, error) {
	if err := unix.SetNonblock(fd, true); err != nil {
		return socket{}, os.NewSyscallError("fcntl", err)
	}
	file := os.NewFile(uintptr(fd), "socket")
	raw, err := file.SyscallConn()
	if err != nil {
		return socket{}, err
	}
	return socket{file: file, raw: raw, reading: make(chan struct{}, 1), writing: make(chan struct{}, 1)}, nil
}

// Socket makes an unconnected TCP socket in the calling thread's namespace.
func Socket(family Family) (*Conn, error) {
	fd, err := unix.Socket(int(family), unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.IPPROTO_TCP)
	if err != nil {
		return nil, err
	}
	return NewConn(fd)
}

// Control runs f with the descriptor, which stays open while f runs. After
// Close it returns os.ErrClosed.
func (c *socket) Control(f func(fd int) error) error {
	var result error
	if err := c.raw.Control(func(fd uintptr) { result = f(int(fd)) }); err != nil {
		return os.ErrClosed
	}
	return result
}

// Bind is bind(2). A zero port lets the kernel choose.
func (c *socket) Bind(local netip.AddrPort) error {
	return c.Control(func(fd int) error { return unix.Bind(fd, Sockaddr(local)) })
}

// Connect is one connect(2): it sends the SYN, or the INIT, and returns EINPROGRESS.
// AwaitConnected waits for the outcome.
func (c *socket) Connect(remote netip.AddrPort) error {
	return c.Control(func(fd int) error { return unix.Connect(fd, Sockaddr(remote)) })
}

// AwaitConnected waits until connect(2) has succeeded or failed and returns
// SO_ERROR: nil, or the errno with which the kernel gave up. It ends early as
// AwaitReadable does.
func (c *socket) AwaitConnected(ctx context.Context) error {
	if err := c.AwaitWritable(ctx); err != nil {
		return err
	}
	return c.SocketError()
}

// SocketError reads and clears SO_ERROR (socket(7)); nil when there is none.
func (c *socket) SocketError() error {
	return c.Control(func(fd int) error {
		errno, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
		if err == nil && errno != 0 {
			err = unix.Errno(errno)
		}
		return err
	})
}

// Send is one send(2) without blocking and without SIGPIPE. It returns how many
// bytes the kernel took, and its errno: EAGAIN when the send buffer is full.
func (c *socket) Send(p []byte) (int, error) {
	n := 0
	err := c.Control(func(fd int) (err error) {
		n, err = ignoringEINTR(func() (int, error) { return unix.SendmsgN(fd, p, nil, nil, unix.MSG_NOSIGNAL) })
		return err
	})
	return max(n, 0), err
}

// Receive is one recv(2) without blocking. Unlike an io.Reader it returns 0, nil
// for the zero-read: the peer has sent FIN and everything before it was read.
// EAGAIN means that there is nothing to read yet. An empty p is 0, nil as well.
func (c *socket) Receive(p []byte) (int, error) { return c.receive(p, 0) }

// Peek is Receive with MSG_PEEK: what it returns stays in the queue.
func (c *socket) Peek(p []byte) (int, error) { return c.receive(p, unix.MSG_PEEK) }

func (c *socket) receive(p []byte, flags int) (int, error) {
	n := 0
	err := c.Control(func(fd int) (err error) {
		n, err = ignoringEINTR(func() (int, error) {
			n, _, err := unix.Recvfrom(fd, p, flags)
			return n, err
		})
		return err
	})
	return max(n, 0), err
}

// ignoringEINTR repeats a call that one of the Go runtime's own signals
// interrupted: such a signal is not an event of the connection.
func ignoringEINTR(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != unix.EINTR {
			return n, err
		}
	}
}

// AwaitReadable waits until a read would not block: data, the zero-read, or an
// error to report. It consumes nothing. When ctx ends first it returns the
// context's cause (context.Cause: context.DeadlineExceeded or Canceled unless
// another was given); after Close, os.ErrClosed. It looks once when ctx has ended
// already.
func (c *socket) AwaitReadable(ctx context.Context) error {
	return c.await(ctx, c.reading, c.raw.Read, c.file.SetReadDeadline, unix.POLLIN)
}

// AwaitWritable waits until a write would not block: room in the send buffer, or
// an error to report. It ends early as AwaitReadable does.
func (c *socket) AwaitWritable(ctx context.Context) error {
	return c.await(ctx, c.writing, c.raw.Write, c.file.SetWriteDeadline, unix.POLLOUT)
}

func (c *socket) await(ctx context.Context, turn chan struct{}, wait func(func(uintptr) bool) error, setDeadline func(time.Time) error, events int16) error {
	if revents, err := c.Poll(events); err != nil || revents != 0 {
		return err
	}
	select {
	case turn <- struct{}{}:
		defer func() { <-turn }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	_ = setDeadline(time.Time{})
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = setDeadline(time.Unix(1, 0))
		close(interrupted)
	})
	defer func() {
		if !stop() {
			<-interrupted // a deadline that came later would end the next wait
		}
	}()
	var failed error
	err := wait(func(fd uintptr) bool {
		revents, err := poll(int(fd), events)
		failed = err
		return err != nil || revents != 0
	})
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return context.Cause(ctx)
	case err != nil:
		return os.ErrClosed
	}
	return failed
}

// Poll is one poll(2) that does not wait: which of events, and of POLLERR,
// POLLHUP and POLLNVAL, are there now.
func (c *socket) Poll(events int16) (revents int16, err error) {
	err = c.Control(func(fd int) (err error) {
		revents, err = poll(fd, events)
		return err
	})
	return revents, err
}

func poll(fd int, events int16) (int16, error) {
	fds := []unix.PollFd{{Fd: int32(fd), Events: events}}
	_, err := ignoringEINTR(func() (int, error) { return unix.Poll(fds, 0) })
	return fds[0].Revents, err
}

// Shutdown is shutdown(2); how is unix.SHUT_RD, SHUT_WR or SHUT_RDWR.
func (c *socket) Shutdown(how int) error {
	return c.Control(func(fd int) error { return unix.Shutdown(fd, how) })
}

// Close is close(2): FIN, or RST when received data was not read (RFC 9293
// §3.10.4, RFC 2525 §2.17); of an association, SHUTDOWN or ABORT
// (net/sctp/socket.c, sctp_close). Closing twice returns os.ErrClosed.
func (c *socket) Close() error {
	if err := c.file.Close(); err != nil {
		return os.ErrClosed
	}
	return nil
}

// Abort closes with linger 0: the kernel sends RST, or ABORT, and forgets the
// connection (socket(7), SO_LINGER).
func (c *socket) Abort() error {
	err := c.Control(func(fd int) error {
		return unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	})
	if closed := c.Close(); err == nil {
		err = closed
	}
	return err
}

// Local is the socket's own address (getsockname(2)); the zero AddrPort when it
// has none.
func (c *socket) Local() netip.AddrPort { return c.name(unix.Getsockname) }

// Remote is the peer's address (getpeername(2)); the zero AddrPort while there is
// no connection.
func (c *socket) Remote() netip.AddrPort { return c.name(unix.Getpeername) }

func (c *socket) name(of func(int) (unix.Sockaddr, error)) (a netip.AddrPort) {
	_ = c.Control(func(fd int) error {
		sa, err := of(fd)
		if err == nil {
			a = addrPort(sa)
		}
		return err
	})
	return a
}

// String names the connection by its two addresses.
func (c *socket) String() string { return fmt.Sprintf("%s > %s", c.Local(), c.Remote()) }
