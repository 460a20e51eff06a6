package harness

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

// Conn is a TCP connection under test. Its methods add what they do to the timeline. Methods that
// return an error fail no step; others fail the step if their call fails.
type Conn struct {
	Socket *sock.Conn // the raw socket: its calls add nothing to the timeline
	endpoint

	state   sock.State // in the timeline
	probing time.Time  // when keepalive was switched on; zero: it is off
}

// Local returns the connection's own address; the zero AddrPort after Close.
func (c *Conn) Local() netip.AddrPort { return c.Socket.Local() }

// Remote returns the address of the other end; the zero AddrPort while there is none.
func (c *Conn) Remote() netip.AddrPort { return c.Socket.Remote() }

// State returns the TCP state; os.ErrClosed after Close.
func (c *Conn) State() (sock.State, error) { return c.Socket.State() }

// Connect calls connect(2): EINPROGRESS means that the handshake has begun. AwaitConnected waits for
// its outcome.
func (c *Conn) Connect(remote netip.AddrPort) error { return c.Socket.Connect(remote) }

// AwaitConnected waits until the handshake has succeeded or failed, and returns nil or the errno;
// context.Cause(ctx) if ctx ends first.
func (c *Conn) AwaitConnected(ctx context.Context) error { return c.Socket.AwaitConnected(ctx) }

// AwaitReadable waits until a read would not block: data, the zero-read or an error has come. It
// returns context.Cause(ctx) if ctx ends first.
func (c *Conn) AwaitReadable(ctx context.Context) error { return c.Socket.AwaitReadable(ctx) }

// Receive calls recv(2) without blocking. It returns the number of bytes and the errno: EAGAIN if
// there is nothing to read yet. 0 bytes without an errno are the zero-read.
func (c *Conn) Receive(p []byte) (int, error) { return c.Socket.Receive(p) }

// Poll calls poll(2) without waiting: it returns which of the events, and of POLLERR and POLLHUP, hold
// now.
func (c *Conn) Poll(events int16) (int16, error) { return c.Socket.Poll(events) }

// MustConnect connects and waits up to 5 s until the connection is established. It fails the step if
// connecting fails.
func (c *Conn) MustConnect(remote netip.AddrPort) {
	c.Host.lab.t.Helper()
	ctx, cancel := c.Host.lab.context()
	defer cancel()
	err := c.Socket.Connect(remote)
	if err == unix.EINPROGRESS {
		err = c.Socket.AwaitConnected(ctx)
	}
	c.record("connects to %v: %s", remote, outcome(err))
	if err != nil {
		c.Host.lab.t.Fatalf("connecting %s to %v: %v\n%s", c.Name, remote, err, c.Host.lab.Recent())
	}
}

// Keepalive switches keepalive on, or changes its settings. It fails the step for settings that the
// kernel refuses. Its step is a detector (variable HALFOPEN_LEAVE_OUT).
func (c *Conn) Keepalive(k oracle.Keepalive) {
	c.Host.lab.t.Helper()
	c.Host.lab.perform(detector, fmt.Sprintf("%s switches keepalive on: %v", c.Name, k), func() error {
		if err := k.Validate(); err != nil {
			return err
		}
		if !c.probing.IsZero() { // the timer runs: only its settings change
			return c.Socket.SetKeepalive(k.Idle, k.Interval, k.Count)
		}
		started, err := sock.AtOnce(func() error {
			// The kernel starts the timer only when keepalive is switched on.
			if err := c.Socket.SetOption(unix.SOL_SOCKET, unix.SO_KEEPALIVE, 0); err != nil {
				return err
			}
			return c.Socket.SetKeepalive(k.Idle, k.Interval, k.Count)
		})
		c.probing = started
		return err
	})
}

// UserTimeout sets TCP_USER_TIMEOUT, in whole milliseconds. It fails the step for a value that the
// kernel refuses. Its step is a detector (variable HALFOPEN_LEAVE_OUT).
func (c *Conn) UserTimeout(d time.Duration) {
	c.Host.lab.t.Helper()
	c.Host.lab.perform(detector, fmt.Sprintf("%s sets TCP_USER_TIMEOUT to %v", c.Name, d), func() error {
		return c.Socket.SetUserTimeout(d)
	})
}

// Write sends text, and returns nil or the errno. EAGAIN means that the send buffer has taken only a
// part of the text, or nothing.
func (c *Conn) Write(text string) error {
	n, err := c.Socket.Send([]byte(text))
	if err == nil && n < len(text) {
		err = unix.EAGAIN
	}
	c.record("writes %d bytes: %s", len(text), outcome(err))
	return err
}

// Read waits up to 1 s for data and returns at most 64 KiB of it; an empty string without an error is
// the zero-read. The error is the errno, or wraps context.DeadlineExceeded when nothing has come
// within the second.
func (c *Conn) Read() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := c.Socket.AwaitReadable(ctx); err != nil {
		return "", fmt.Errorf("waiting until %s can read: %w", c.Name, err)
	}
	buffer := make([]byte, 64<<10)
	n, err := c.Socket.Receive(buffer)
	c.record("reads %d bytes: %s", n, outcome(err))
	return string(buffer[:n]), err
}

// ReadAll waits up to 5 s until n bytes have come, and returns them. With an error it returns those
// that have come. The error wraps the errno, io.ErrUnexpectedEOF if the peer has closed before, or
// context.DeadlineExceeded after 5 s.
func (c *Conn) ReadAll(n int) (string, error) {
	ctx, cancel := c.Host.lab.context()
	defer cancel()
	all := make([]byte, 0, n)
	buffer := make([]byte, 64<<10)
	for len(all) < n {
		if err := c.Socket.AwaitReadable(ctx); err != nil {
			return string(all), fmt.Errorf("waiting until %s has read %d bytes: it has %d: %w", c.Name, n, len(all), err)
		}
		got, err := c.Socket.Receive(buffer[:min(len(buffer), n-len(all))])
		if err == nil && got == 0 {
			err = io.ErrUnexpectedEOF
		}
		if err != nil && err != unix.EAGAIN {
			return string(all), fmt.Errorf("reading %d bytes with %s: it has %d: %w", n, c.Name, len(all), err)
		}
		all = append(all, buffer[:got]...)
	}
	c.record("reads %d bytes", n)
	return string(all), nil
}

// CloseWrite calls shutdown(SHUT_WR): the kernel sends FIN, and the connection can still read.
func (c *Conn) CloseWrite() {
	c.step("shuts down its sending side", func() error { return c.Socket.Shutdown(unix.SHUT_WR) })
}

// CloseRead calls shutdown(SHUT_RD): the kernel sends nothing.
func (c *Conn) CloseRead() {
	c.step("shuts down its receiving side", func() error { return c.Socket.Shutdown(unix.SHUT_RD) })
}

// Close calls close(2): the kernel sends FIN, or RST if received data was not read. Closing twice
// fails the step.
func (c *Conn) Close() { c.step("closes", c.Socket.Close) }

// Abort closes with a linger time of 0: the kernel sends RST. It fails the step after Close.
func (c *Conn) Abort() { c.step("aborts (close with linger 0)", c.Socket.Abort) }

// Destroy ends the connection as an administrator does with `ss -K`: the program gets ECONNABORTED,
// and the kernel sends RST. It fails the step if the kernel is built without
// CONFIG_INET_DIAG_DESTROY.
func (c *Conn) Destroy() {
	c.step("is destroyed by the administrator (ss -K)", c.TableEntry().Destroy)
}

// QuietSince returns the instant from which the kernel counts how long the connection has been idle:
// when the last segment of the peer arrived (sock.Conn.LastHeard) or when keepalive was switched on,
// whichever was later. It fails the step after Close.
func (c *Conn) QuietSince() time.Time {
	c.Host.lab.t.Helper()
	at, err := c.Socket.LastHeard()
	if err != nil {
		c.Host.lab.t.Fatalf("reading when %s last heard from its peer: %v", c.Name, err)
	}
	if c.probing.After(at) {
		return c.probing
	}
	return at
}

// LastSent returns when the connection last sent new data: the instant from which the kernel counts to
// the retransmission. It fails the step if it has sent none.
func (c *Conn) LastSent() time.Time {
	c.Host.lab.t.Helper()
	originals := c.Host.SentBy(c, capture.All(capture.Data, capture.Original))
	if len(originals) == 0 {
		c.Host.lab.t.Fatalf("%s has sent no data yet\n%s", c.Name, c.Recent())
	}
	return originals[len(originals)-1].At
}

// RTO returns the retransmission timeout in force (tcpi_rto). It fails the step after Close.
func (c *Conn) RTO() time.Duration {
	c.Host.lab.t.Helper()
	return time.Duration(c.info().Rto) * time.Microsecond
}

// RTT returns the smoothed round-trip time (tcpi_rtt). It fails the step after Close.
func (c *Conn) RTT() time.Duration {
	c.Host.lab.t.Helper()
	return time.Duration(c.info().Rtt) * time.Microsecond
}

func (c *Conn) info() *unix.TCPInfo {
	c.Host.lab.t.Helper()
	info, err := c.Socket.Info()
	if err != nil {
		c.Host.lab.t.Fatalf("reading the TCP_INFO of %s: %v", c.Name, err)
	}
	return info
}

// Record adds an event of the connection to the timeline.
func (c *Conn) Record(what string) { c.record("%s", what) }

func (c *Conn) record(format string, args ...any) {
	c.note(format, args...)
	c.observe()
	c.Host.lab.settle()
}

// observe adds the TCP state to the timeline if it has changed.
func (c *Conn) observe() {
	if state, err := c.State(); err == nil {
		c.changed(state)
	}
}

// changed adds a TCP state to the timeline if it is another one than before.
func (c *Conn) changed(state sock.State) {
	if state != c.state {
		c.state = state
		c.Host.lab.timeline.Add(stateEvent(c.Host, c.Name, state))
	}
}
