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

// Conn is a TCP socket. Each method makes one system call and returns the kernel's errno
// unwrapped, so that == and errors.Is both work. No call blocks but those named Await. Its methods
// may be called by any goroutine.
type Conn struct{ socket }

// socket is what TCP and SCTP sockets have in common.
type socket struct {
	file *os.File // non-blocking: Go's poller waits for it, and Close wakes the waiter
	raw  syscall.RawConn
	// The file has one deadline for each direction, so waiters of one direction take turns.
	reading, writing chan struct{}
}

// NewConn returns a Conn that owns fd, a stream socket. It makes fd non-blocking.
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

// Socket makes an unconnected TCP socket in the calling thread's network namespace.
func Socket(family Family) (*Conn, error) {
	fd, err := unix.Socket(int(family), unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.IPPROTO_TCP)
	if err != nil {
		return nil, err
	}
	return NewConn(fd)
}

// Control calls f with the descriptor, which stays open while f runs, and returns f's error. After
// Close it returns os.ErrClosed.
func (c *socket) Control(f func(fd int) error) error {
	var result error
	if err := c.raw.Control(func(fd uintptr) { result = f(int(fd)) }); err != nil {
		return os.ErrClosed
	}
	return result
}

// Bind calls bind(2). Port 0 lets the kernel choose.
func (c *socket) Bind(local netip.AddrPort) error {
	return c.Control(func(fd int) error { return unix.Bind(fd, Sockaddr(local)) })
}

// Connect calls connect(2) once: the kernel sends the SYN, or the INIT, and Connect returns
// EINPROGRESS. AwaitConnected waits for the outcome.
func (c *socket) Connect(remote netip.AddrPort) error {
	return c.Control(func(fd int) error { return unix.Connect(fd, Sockaddr(remote)) })
}

// AwaitConnected waits until connect(2) has succeeded or failed and returns SO_ERROR: nil, or the
// errno with which connecting failed. It ends early as AwaitReadable does.
func (c *socket) AwaitConnected(ctx context.Context) error {
	if err := c.AwaitWritable(ctx); err != nil {
		return err
	}
	return c.SocketError()
}

// SocketError returns and clears SO_ERROR (socket(7)); nil when there is none.
func (c *socket) SocketError() error {
	return c.Control(func(fd int) error {
		errno, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_ERROR)
		if err == nil && errno != 0 {
			err = unix.Errno(errno)
		}
		return err
	})
}

// Send calls send(2) once, without blocking and without SIGPIPE. It returns how many bytes the
// kernel took, and its errno: EAGAIN when the send buffer is full.
func (c *socket) Send(p []byte) (int, error) {
	n := 0
	err := c.Control(func(fd int) (err error) {
		n, err = ignoringEINTR(func() (int, error) { return unix.SendmsgN(fd, p, nil, nil, unix.MSG_NOSIGNAL) })
		return err
	})
	return max(n, 0), err
}

// Receive calls recv(2) once, without blocking. Unlike an io.Reader it returns 0, nil for the
// zero-read: the peer has sent FIN, and everything before it was read. EAGAIN means that there is
// nothing to read yet. For an empty p it returns 0, nil as well.
func (c *socket) Receive(p []byte) (int, error) { return c.receive(p, 0) }

// Peek calls recv(2) as Receive does, with MSG_PEEK: the data stays in the receive queue.
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

// ignoringEINTR repeats a call while a signal interrupts it: the Go runtime sends itself signals,
// which are no events of the connection.
func ignoringEINTR(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if err != unix.EINTR {
			return n, err
		}
	}
}

// AwaitReadable waits until a read would not block: data, the zero-read or an error has come. It
// reads nothing. When ctx ends first it returns context.Cause(ctx), which is
// context.DeadlineExceeded or context.Canceled unless the caller gave another; after Close it
// returns os.ErrClosed. If ctx has ended before the call, AwaitReadable polls once.
func (c *socket) AwaitReadable(ctx context.Context) error {
	return c.await(ctx, c.reading, c.raw.Read, c.file.SetReadDeadline, unix.POLLIN)
}

// AwaitWritable waits until a write would not block: the send buffer has room, or an error has
// come. It ends early as AwaitReadable does.
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
			<-interrupted // or the deadline would end the next wait
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

// Poll calls poll(2) without waiting. It returns which of events, and of POLLERR, POLLHUP and
// POLLNVAL, which need not be asked for, hold now.
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

// Shutdown calls shutdown(2); how is unix.SHUT_RD, unix.SHUT_WR or unix.SHUT_RDWR.
func (c *socket) Shutdown(how int) error {
	return c.Control(func(fd int) error { return unix.Shutdown(fd, how) })
}

// Close calls close(2). The kernel sends FIN, or RST if received data was not read (RFC 9293
// §3.10.4, RFC 2525 §2.17); for an association SHUTDOWN or ABORT (net/sctp/socket.c, sctp_close).
// Closing twice returns os.ErrClosed.
func (c *socket) Close() error {
	if err := c.file.Close(); err != nil {
		return os.ErrClosed
	}
	return nil
}

// Abort closes the socket with a linger time of 0: the kernel sends RST, or ABORT, and forgets the
// connection (socket(7), SO_LINGER). Closing twice returns os.ErrClosed.
func (c *socket) Abort() error {
	err := c.Control(func(fd int) error {
		return unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	})
	if closed := c.Close(); err == nil {
		err = closed
	}
	return err
}

// Local returns the socket's own address (getsockname(2)); the zero AddrPort when it is closed.
func (c *socket) Local() netip.AddrPort { return c.name(unix.Getsockname) }

// Remote returns the peer's address (getpeername(2)); the zero AddrPort while the socket is not
// connected.
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

// String returns the two addresses: "192.0.2.10:40000 > 192.0.2.20:5000".
func (c *socket) String() string { return fmt.Sprintf("%s > %s", c.Local(), c.Remote()) }
