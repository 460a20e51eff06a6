package sock_test

import (
	"context"
	"errors"
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/link"
	"github.com/halfopen-lab/halfopen/harness/netns"
	"github.com/halfopen-lab/halfopen/harness/private"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

func TestMain(m *testing.M) { private.Main(m.Run) }

const tick = 10 * time.Millisecond // of the kernel's clock at its coarsest, HZ=100

var loopback4, loopback6 = netip.MustParseAddrPort("127.0.0.1:0"), netip.MustParseAddrPort("[::1]:0")

type machine struct {
	ns    *netns.Namespace
	links *link.Links
	diag  *sock.Diag
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	t.Parallel()
	ns, err := netns.New(t.Name())
	must(t, err)
	links, err := link.Open(ns) // brings loopback up
	must(t, err)
	m := &machine{ns: ns, links: links}
	must(t, ns.Do(func() (err error) { m.diag, err = sock.OpenDiag(); return err }))
	t.Cleanup(func() { m.diag.Close(); links.Close(); _ = ns.Close() })
	return m
}

func (m *machine) listen(t *testing.T, at netip.AddrPort, backlog int) (l *sock.Listener) {
	t.Helper()
	must(t, m.ns.Do(func() (err error) { l, err = sock.Listen(at, backlog); return err }))
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// dial calls connect(2) and does not await the outcome.
func (m *machine) dial(t *testing.T, to netip.AddrPort) (c *sock.Conn) {
	t.Helper()
	family := map[bool]sock.Family{true: sock.IPv4, false: sock.IPv6}[to.Addr().Is4()]
	must(t, m.ns.Do(func() (err error) { c, err = sock.Socket(family); return err }))
	t.Cleanup(func() { _ = c.Close() })
	if err := c.Connect(to); err != unix.EINPROGRESS {
		t.Fatalf("connect to %v: %v, expected EINPROGRESS", to, err)
	}
	return c
}

func (m *machine) pair(t *testing.T, at netip.AddrPort) (client, server *sock.Conn) {
	t.Helper()
	l := m.listen(t, at, 5)
	client = m.dial(t, l.Local())
	server, err := l.AwaitAccept(promptly(t))
	must(t, err)
	t.Cleanup(func() { _ = server.Close() })
	return client, server
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func promptly(t *testing.T) context.Context { return within(t, 5*time.Second) }
func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func send(t *testing.T, c *sock.Conn, text string) {
	t.Helper()
	if n, err := c.Send([]byte(text)); n != len(text) || err != nil {
		t.Fatalf("sending %q: %d, %v", text, n, err)
	}
}

func receives(t *testing.T, c *sock.Conn, want string, wantErr error) {
	t.Helper()
	must(t, c.AwaitReadable(promptly(t)))
	buffer := make([]byte, 1000)
	if n, err := c.Receive(buffer); string(buffer[:n]) != want || err != wantErr {
		t.Errorf("reading: %q, %v, expected %q, %v", buffer[:n], err, want, wantErr)
	}
}

func (m *machine) becomes(t *testing.T, local, remote netip.AddrPort, what string, so func(sock.Entry) bool) sock.Entry {
	t.Helper()
	for ctx := promptly(t); ; time.Sleep(time.Millisecond) {
		e, ok, err := m.diag.Find(local, remote)
		must(t, err)
		if ok && so(e) {
			return e
		}
		if ctx.Err() != nil {
			t.Fatalf("the socket table has %v (found: %v), expected %s", e, ok, what)
		}
	}
}

func TestEAGAINIsNothingYetAndZeroIsTheEnd(t *testing.T) {
	m := newMachine(t)
	client, server := m.pair(t, loopback4)
	if n, err := client.Receive(make([]byte, 1)); n != 0 || err != unix.EAGAIN {
		t.Errorf("reading where nothing is: %d, %v, expected 0, EAGAIN", n, err)
	}
	if c, err := m.listen(t, loopback6, 1).Accept(); c != nil || err != unix.EAGAIN {
		t.Errorf("accepting where nobody waits: %v, %v, expected nil, EAGAIN", c, err)
	}
	taken, err := 0, error(nil)
	for n := 0; err == nil; taken += n {
		n, err = server.Send(make([]byte, 64<<10))
	}
	if err != unix.EAGAIN || taken == 0 {
		t.Errorf("sending to a peer that does not read: %d bytes, then %v, expected some and EAGAIN", taken, err)
	}
	send(t, client, "last words")
	must(t, client.Shutdown(unix.SHUT_WR))
	receives(t, server, "last words", nil)
	receives(t, server, "", nil)
	receives(t, server, "", nil) // and stays
}

func TestErrorsAreTheErrnosThemselves(t *testing.T) {
	m := newMachine(t)
	l := m.listen(t, loopback4, 1)
	var second *sock.Listener
	err := m.ns.Do(func() (err error) { second, err = sock.Listen(l.Local(), 1); return err })
	if second != nil || err != unix.EADDRINUSE {
		t.Errorf("listening where somebody listens: %v, %v, expected EADDRINUSE itself", second, err)
	}
	client := m.dial(t, l.Local())
	must(t, client.Abort())
	if err := client.Abort(); err != os.ErrClosed {
		t.Errorf("Abort again: %#v, expected os.ErrClosed itself", err)
	}
}

func TestConnectionsOfBothFamiliesComeOutAsTheKernelSays(t *testing.T) {
	m := newMachine(t)
	for _, at := range []netip.AddrPort{loopback4, loopback6} {
		client, server := m.pair(t, at)
		if client.Local() != server.Remote() || client.Remote() != server.Local() || client.Local().Addr() != at.Addr() {
			t.Errorf("the ends are %v and %v, expected each other's reverse on %v", client, server, at.Addr())
		}
		nobody := netip.AddrPortFrom(at.Addr(), 1)
		if err := m.dial(t, nobody).AwaitConnected(promptly(t)); err != unix.ECONNREFUSED {
			t.Errorf("connecting to %v where nobody listens: %v, expected ECONNREFUSED itself", nobody, err)
		}
	}
}

func TestAWaitEndsWithItsContextOrWithClose(t *testing.T) {
	m := newMachine(t)
	client, _ := m.pair(t, loopback4)
	full, empty := m.listen(t, loopback4, 0), m.listen(t, loopback4, 1)
	must(t, m.dial(t, full.Local()).AwaitConnected(promptly(t))) // backlog 0 still holds one
	unanswered := m.dial(t, full.Local())
	expect := func(name string, wait func(context.Context) error, end func() error) {
		t.Helper()
		deadline := wait(within(t, 20*time.Millisecond))
		closed := make(chan error, 1)
		time.AfterFunc(50*time.Millisecond, func() { closed <- end() })
		woken := wait(promptly(t))
		must(t, <-closed)
		got := []error{deadline, woken, wait(promptly(t)), end()}
		if want := []error{context.DeadlineExceeded, os.ErrClosed, os.ErrClosed, os.ErrClosed}; !slices.Equal(got, want) {
			t.Errorf("%s with a deadline, when Close comes, after it, and Close again: %q, expected %q", name, got, want)
		}
	}
	expect("AwaitReadable", client.AwaitReadable, client.Close)
	expect("AwaitConnected", unanswered.AwaitConnected, unanswered.Close)
	expect("AwaitAccept", func(ctx context.Context) error { _, err := empty.AwaitAccept(ctx); return err }, empty.Close)
}

func TestTheSocketTableHasStatesAndTimers(t *testing.T) {
	m := newMachine(t)
	l := m.listen(t, loopback4, 3)
	client := m.dial(t, l.Local())
	must(t, client.AwaitConnected(promptly(t)))
	m.becomes(t, l.Local(), netip.MustParseAddrPort("0.0.0.0:0"), "LISTEN with one waiting and a backlog of 3", func(e sock.Entry) bool {
		return e.State == sock.Listening && e.Queues == sock.Queues{Received: 1, Sent: 3}
	})
	if e, ok, err := m.diag.Find(l.Local(), netip.AddrPortFrom(l.Local().Addr(), 1)); ok || err != nil {
		t.Errorf("the socket table has %v (%v) for a connection that there is not", e, err)
	}
	server, err := l.AwaitAccept(promptly(t))
	must(t, err)
	local, remote := client.Local(), client.Remote()
	m.becomes(t, local, remote, "no timer", func(e sock.Entry) bool { return e.Timer == sock.NoTimer })
	before := time.Now()
	must(t, client.SetKeepalive(100*time.Second, time.Second, 1))
	e := m.becomes(t, local, remote, "ESTABLISHED with the keepalive timer", func(e sock.Entry) bool {
		return e.State == sock.Established && e.Inode != 0 && e.Timer == sock.KeepaliveTimer
	})
	if left := 100*time.Second - time.Since(before); e.Expires < left-tick || e.Expires > 100*time.Second+tick {
		t.Errorf("after SetKeepalive(100s) the socket table has %v, expected %v to 100s left", e, left)
	}
	info, err := client.Info()
	must(t, err)
	if rto := time.Duration(info.Rto) * time.Microsecond; e.RTO == 0 || e.RTO != rto {
		t.Errorf("the socket table has the RTO %v, the socket itself %v", e.RTO, rto)
	}
	must(t, client.Shutdown(unix.SHUT_WR))
	m.becomes(t, local, remote, "FIN_WAIT2", func(e sock.Entry) bool { return e.State == sock.FinWait2 })
	m.becomes(t, remote, local, "CLOSE_WAIT", func(e sock.Entry) bool { return e.State == sock.CloseWait })
	must(t, errors.Join(server.Close(), client.Close()))
	// TCP_TIMEWAIT_LEN in include/net/tcp.h is 60 s.
	m.becomes(t, local, remote, "TIME_WAIT without a program and nearly 60s left", func(e sock.Entry) bool {
		return e.State == sock.TimeWait && e.Inode == 0 && e.Timer == sock.TimeWaitTimer && e.Expires > 50*time.Second && e.Expires <= 60*time.Second+tick
	})
}

// RFC 2525 §2.17 and socket(7), SO_LINGER.
func TestAbortAndCloseWithUnreadDataResetAndCloseDoesNot(t *testing.T) {
	m := newMachine(t)
	expect := func(sent string, end func(*sock.Conn) error, want error) {
		t.Helper()
		client, server := m.pair(t, loopback4)
		send(t, server, sent)
		must(t, client.AwaitReadable(promptly(t)))
		_, err := client.Receive(make([]byte, len("read")))
		must(t, errors.Join(err, end(client)))
		receives(t, server, "", want)
	}
	expect("read", (*sock.Conn).Abort, unix.ECONNRESET)
	expect("read and unread", (*sock.Conn).Close, unix.ECONNRESET)
	expect("read", (*sock.Conn).Close, nil)
}

func TestADestroyedConnectionIsForgottenAndItsProgramToldSo(t *testing.T) {
	m := newMachine(t)
	for _, at := range []netip.AddrPort{loopback4, loopback6} {
		client, server := m.pair(t, at)
		entry := m.becomes(t, client.Local(), client.Remote(), "established", func(e sock.Entry) bool { return e.State == sock.Established })
		must(t, m.diag.Destroy(entry))
		if _, ok, err := m.diag.Find(entry.Local, entry.Remote); ok || err != nil {
			t.Errorf("%v after Destroy: found %v, %v", entry, ok, err)
		}
		if _, err := client.Receive(make([]byte, 1)); err != unix.ECONNABORTED {
			t.Errorf("reading a destroyed connection: %v, expected ECONNABORTED", err)
		}
		must(t, server.AwaitReadable(promptly(t)))
		if _, err := server.Receive(make([]byte, 1)); err != unix.ECONNRESET {
			t.Errorf("reading its peer: %v, expected ECONNRESET", err)
		}
		if err := m.diag.Destroy(entry); err != nil {
			t.Errorf("destroying it again: %v", err)
		}
	}
}
