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
	"github.com/halfopen-lab/halfopen/harness/timeline"
)

// Conn is a TCP connection under test. What a spec does with it is written to the
// timeline, and a step that fails ends the spec. Its Socket has the same calls with their
// errnos, and leaves no trace in the timeline.
type Conn struct {
	Socket *sock.Conn
	end

	state   sock.State // as last recorded
	probing time.Time  // when keepalive was switched on
}

// Listener is a listening socket of a host.
type Listener struct {
	Socket *sock.Listener
	Host   *Host
}

// Local returns the address that the listener is bound to.
func (l *Listener) Local() netip.AddrPort { return l.Socket.Local() }

// Close closes the listener: the kernel answers those who connect later with RST.
func (l *Listener) Close() { _ = l.Socket.Close() }

// Accept takes the next connection from the accept queue and names it.
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

// Local returns the connection's own address; the zero value when the socket is closed.
func (c *Conn) Local() netip.AddrPort { return c.Socket.Local() }

// Remote returns the address of the other end; the zero value when there is none.
func (c *Conn) Remote() netip.AddrPort { return c.Socket.Remote() }

// State returns the state that the kernel has the connection in.
func (c *Conn) State() (sock.State, error) { return c.Socket.State() }

// Connect is connect(2); EINPROGRESS says that the handshake has begun. Unlike MustConnect
// it fails no step.
func (c *Conn) Connect(remote netip.AddrPort) error { return c.Socket.Connect(remote) }

// AwaitConnected waits until the handshake has succeeded or failed, and returns the
// kernel's errno, if any.
func (c *Conn) AwaitConnected(ctx context.Context) error { return c.Socket.AwaitConnected(ctx) }

// AwaitReadable waits until there is something to read: data, the peer's end, an error.
func (c *Conn) AwaitReadable(ctx context.Context) error { return c.Socket.AwaitReadable(ctx) }

// Receive reads what is there, and returns the kernel's errno, if any; 0 bytes without an
// errno are the zero-read.
func (c *Conn) Receive(p []byte) (int, error) { return c.Socket.Receive(p) }

// Poll returns what poll(2) reports of the events asked for.
func (c *Conn) Poll(events int16) (int16, error) { return c.Socket.Poll(events) }

// MustConnect connects and waits until the connection is established.
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

// Keepalive switches keepalive on. It is a detector: `make mutate` leaves it out.
func (c *Conn) Keepalive(k oracle.Keepalive) {
	c.Host.lab.t.Helper()
	c.Host.lab.perform(detector, fmt.Sprintf("%s switches keepalive on: %v", c.Name, k), func() error {
		if err := k.Validate(); err != nil {
			return err
		}
		if !c.probing.IsZero() { // it changes the values of a timer that runs
			return c.Socket.SetKeepalive(k.Idle, k.Interval, k.Count)
		}
		armed, err := sock.AtOnce(func() error {
			// Only switching it on arms the timer.
			if err := c.Socket.SetOption(unix.SOL_SOCKET, unix.SO_KEEPALIVE, 0); err != nil {
				return err
			}
			return c.Socket.SetKeepalive(k.Idle, k.Interval, k.Count)
		})
		c.probing = armed
		return err
	})
}

// UserTimeout sets TCP_USER_TIMEOUT. It is a detector: `make mutate` leaves it out.
func (c *Conn) UserTimeout(d time.Duration) {
	c.Host.lab.t.Helper()
	c.Host.lab.perform(detector, fmt.Sprintf("%s sets TCP_USER_TIMEOUT to %v", c.Name, d), func() error {
		return c.Socket.SetUserTimeout(d)
	})
}

// Write sends text and returns the kernel's errno, if any, or io.ErrShortWrite's
// counterpart EAGAIN when the send buffer took only a part.
func (c *Conn) Write(text string) error {
	n, err := c.Socket.Send([]byte(text))
	if err == nil && n < len(text) {
		err = unix.EAGAIN
	}
	c.record("writes %d bytes: %s", len(text), outcome(err))
	return err
}

// Read waits up to a second for data and returns what is there; an empty string
// is the zero-read.
func (c *Conn) Read() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := c.Socket.AwaitReadable(ctx); err != nil {
		return "", fmt.Errorf("%s waits for something to read: %w", c.Name, err)
	}
	buffer := make([]byte, 64<<10)
	n, err := c.Socket.Receive(buffer)
	c.record("reads %d bytes: %s", n, outcome(err))
	return string(buffer[:n]), err
}

// ReadAll reads until n bytes have come, for up to the time that a healthy lab
// takes, and returns them; less came when there is an error.
func (c *Conn) ReadAll(n int) (string, error) {
	ctx, cancel := c.Host.lab.context()
	defer cancel()
	all := make([]byte, 0, n)
	buffer := make([]byte, 64<<10)
	for len(all) < n {
		if err := c.Socket.AwaitReadable(ctx); err != nil {
			return string(all), fmt.Errorf("%s waits for %d bytes and has %d: %w", c.Name, n, len(all), err)
		}
		got, err := c.Socket.Receive(buffer[:min(len(buffer), n-len(all))])
		if err == nil && got == 0 {
			err = io.ErrUnexpectedEOF
		}
		if err != nil && err != unix.EAGAIN {
			return string(all), fmt.Errorf("%s reads %d bytes and has %d: %w", c.Name, n, len(all), err)
		}
		all = append(all, buffer[:got]...)
	}
	c.record("reads %d bytes", n)
	return string(all), nil
}

// CloseWrite is shutdown(SHUT_WR): FIN, and reading goes on.
func (c *Conn) CloseWrite() {
	c.step("shuts its sending side down", func() error { return c.Socket.Shutdown(unix.SHUT_WR) })
}

// CloseRead is shutdown(SHUT_RD): nothing is sent.
func (c *Conn) CloseRead() {
	c.step("shuts its receiving side down", func() error { return c.Socket.Shutdown(unix.SHUT_RD) })
}

// Close is close(2): FIN, or RST when received data was not read.
func (c *Conn) Close() { c.step("closes", c.Socket.Close) }

// Abort closes with linger 0: RST.
func (c *Conn) Abort() { c.step("aborts (close with linger 0)", c.Socket.Abort) }

// Destroy ends the connection as an administrator does, with ss -K: the program gets
// ECONNABORTED. It fails where the kernel is without CONFIG_INET_DIAG_DESTROY.
func (c *Conn) Destroy() {
	c.step("is destroyed by the administrator (ss -K)", func() error {
		return c.Host.diag.Destroy(sock.Entry{Local: c.Local(), Remote: c.Remote()})
	})
}

// QuietSince is the instant from which the kernel counts the connection as idle:
// when the last segment from the peer arrived (sock.Conn.LastHeard), or when
// keepalive was switched on, if that was later.
func (c *Conn) QuietSince() time.Time {
	c.Host.lab.t.Helper()
	at, err := c.Socket.LastHeard()
	if err != nil {
		c.Host.lab.t.Fatalf("asking when %s last heard from its peer: %v", c.Name, err)
	}
	if c.probing.After(at) {
		return c.probing
	}
	return at
}

// LastSent is when the last new data left, from which the kernel counts to its
// retransmission. The test fails when none has.
func (c *Conn) LastSent() time.Time {
	c.Host.lab.t.Helper()
	fresh := c.Host.SentBy(c, capture.All(capture.Data, capture.Original))
	if len(fresh) == 0 {
		c.Host.lab.t.Fatalf("%s has sent no data yet\n%s", c.Name, c.Recent())
	}
	return fresh[len(fresh)-1].At
}

// RTO is the retransmission timeout in force (tcpi_rto).
func (c *Conn) RTO() time.Duration {
	c.Host.lab.t.Helper()
	return time.Duration(c.info().Rto) * time.Microsecond
}

// RTT is the smoothed round-trip time (tcpi_rtt).
func (c *Conn) RTT() time.Duration {
	c.Host.lab.t.Helper()
	return time.Duration(c.info().Rtt) * time.Microsecond
}

func (c *Conn) info() *unix.TCPInfo {
	c.Host.lab.t.Helper()
	info, err := c.Socket.Info()
	if err != nil {
		c.Host.lab.t.Fatalf("asking for the TCP_INFO of %s: %v", c.Name, err)
	}
	return info
}

// Entry is what the kernel's socket table says of the connection.
func (c *Conn) Entry() sock.Entry {
	c.Host.lab.t.Helper()
	entry, ok := c.Host.Socket(c.Local(), c.Remote())
	if !ok {
		c.Host.lab.t.Fatalf("%s is not in the socket table of %s\n%s", c.Name, c.Host.name, c.Host.lab.Recent())
	}
	return entry
}

// TableEntry is the connection as the host's socket table has it, for after the
// program has closed it and the kernel alone goes on.
func (c *Conn) TableEntry() *TableEntry {
	return &TableEntry{c.Host, c.Name, c.Local(), c.Remote()}
}

// TableEntry is a line of a host's socket table.
type TableEntry struct {
	host          *Host
	name          string
	local, remote netip.AddrPort
}

// State is the state that the kernel has the connection in; sock.Closed when it
// knows no such connection any more.
func (e *TableEntry) State() (sock.State, error) {
	entry, ok, err := e.host.diag.Find(e.local, e.remote)
	if !ok {
		entry.State = sock.Closed
	}
	return entry.State, err
}

// Entry is the line itself; ok is false when it is gone.
func (e *TableEntry) Entry() (entry sock.Entry, ok bool) { return e.host.Socket(e.local, e.remote) }

// RTO is the retransmission timeout in force (tcpi_rto).
func (e *TableEntry) RTO() time.Duration {
	e.host.lab.t.Helper()
	entry, ok := e.Entry()
	if !ok {
		e.host.lab.t.Fatalf("%v has no retransmission timeout: it is gone\n%s", e, e.Recent())
	}
	return entry.RTO
}

// String names the connection.
func (e *TableEntry) String() string { return "the kernel's " + e.name }

// Recent is the end of the timeline, for failure texts.
func (e *TableEntry) Recent() string { return e.host.lab.Recent() }

// Record adds an event of this connection to the timeline.
func (c *Conn) Record(what string) { c.record("%s", what) }

func (c *Conn) record(format string, args ...any) {
	c.note(format, args...)
	c.observe()
	c.Host.lab.settle()
}

// observe records the connection's TCP state when it is not what it was.
func (c *Conn) observe() {
	state, err := c.State()
	if err != nil || state == c.state {
		return
	}
	c.state = state
	c.Host.lab.timeline.Addf(c.Host.name, timeline.State, "%s is %v", c.Name, state)
}
