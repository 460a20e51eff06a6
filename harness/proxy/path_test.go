package proxy

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/link"
	"github.com/halfopen-lab/halfopen/harness/netns"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/private"
	"github.com/halfopen-lab/halfopen/harness/proxy/internal/control"
	_ "github.com/halfopen-lab/halfopen/harness/proxy/server"
	"github.com/halfopen-lab/halfopen/harness/reexec"
)

// crashes, in the environment, makes toxiproxy end as soon as it is started.
const crashes = "HALFOPEN_PROXY_TEST_CRASH"

func TestMain(m *testing.M) {
	if os.Getenv(crashes) != "" && os.Getenv(reexec.Variable) == string(control.Program) {
		fmt.Fprintln(os.Stderr, "toxiproxy fell over")
		os.Exit(7)
	}
	reexec.Register(parentProgram, beParent)
	reexec.Main()
	private.Main(m.Run)
}

// promptly is how long things may take that a healthy machine does at once.
const promptly = 3 * time.Second

// path is a client, a route and a server, all on the loopback of one namespace.
type path struct {
	ns     *netns.Namespace
	proxy  *Proxy
	route  *Route
	server *net.TCPListener
}

func newNamespace(t *testing.T) *netns.Namespace {
	t.Helper()
	ns, err := netns.New(t.Name())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ns.Close() })
	links, err := link.Open(ns) // brings loopback up
	if err != nil {
		t.Fatal(err)
	}
	links.Close()
	return ns
}

func newProxy(t *testing.T, ns *netns.Namespace) *Proxy {
	t.Helper()
	p, err := Start(ns)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func newPath(t *testing.T) *path {
	t.Helper()
	t.Parallel()
	p := &path{ns: newNamespace(t)}
	err := p.ns.Do(func() error {
		l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(loopback))
		p.server = l
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.server.Close() })
	p.proxy = newProxy(t, p.ns)
	if p.route, err = p.proxy.Forward("route", loopback.String(), p.server.Addr().String()); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *path) dial(to netip.AddrPort) (client *net.TCPConn, err error) {
	err = p.ns.Do(func() error {
		conn, err := net.DialTimeout("tcp", to.String(), promptly)
		if err == nil {
			client = conn.(*net.TCPConn)
		}
		return err
	})
	return client, err
}

func (p *path) connect(t *testing.T) (client, server *net.TCPConn) {
	t.Helper()
	return p.connectTo(t, p.route.Address())
}

func (p *path) connectTo(t *testing.T, to netip.AddrPort) (client, server *net.TCPConn) {
	t.Helper()
	client, err := p.dial(to)
	if err != nil {
		t.Fatalf("connecting to %v: %v", to, err)
	}
	t.Cleanup(func() { _ = client.Close() })
	_ = p.server.SetDeadline(time.Now().Add(promptly))
	if server, err = p.server.AcceptTCP(); err != nil {
		t.Fatalf("accepting the connection: %v", err)
	}
	t.Cleanup(func() { _ = server.Close() })
	return client, server
}

func send(t *testing.T, conn *net.TCPConn, text string) {
	t.Helper()
	if _, err := conn.Write([]byte(text)); err != nil {
		t.Fatalf("sending %q: %v", text, err)
	}
}

// receives fails the test unless the text arrives.
func receives(t *testing.T, who string, conn *net.TCPConn, text string) {
	t.Helper()
	got := make([]byte, len(text))
	_ = conn.SetReadDeadline(time.Now().Add(promptly))
	if n, err := io.ReadFull(conn, got); err != nil || string(got) != text {
		t.Fatalf("the %s received %q (%v), expected %q", who, got[:n], err, text)
	}
}

// silent fails the test if data or the end arrives before a deadline.
func silent(t *testing.T, who string, conn *net.TCPConn, until time.Time) {
	t.Helper()
	var got [64]byte
	_ = conn.SetReadDeadline(until)
	if n, err := conn.Read(got[:]); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("the %s received %q (%v) %v before the deadline, expected nothing at all", who, got[:n], err, time.Until(until))
	}
}

// The two ways in which a connection ends.
var (
	fin = io.EOF
	rst = error(unix.ECONNRESET)
)

// ends fails the test unless the connection ends in that way, without data before.
func ends(t *testing.T, who string, conn *net.TCPConn, want error) {
	t.Helper()
	var got [64]byte
	_ = conn.SetReadDeadline(time.Now().Add(promptly))
	if n, err := conn.Read(got[:]); n > 0 || !errors.Is(err, want) {
		t.Fatalf("the %s read %q (%v), expected %v", who, got[:n], err, want)
	}
}

// due fails the test unless it is start+delay now, or a little later.
func due(t *testing.T, what string, start time.Time, delay time.Duration) {
	t.Helper()
	if took := time.Since(start); took < delay || took > delay+oracle.Tolerance(delay) {
		t.Fatalf("%s after %v, expected %v to %v", what, took, delay, delay+oracle.Tolerance(delay))
	}
}

// fill writes until the path takes no more data, because the receiver does not read.
func fill(t *testing.T, conn *net.TCPConn) {
	t.Helper()
	chunk := []byte(strings.Repeat("x", 64<<10))
	for {
		_ = conn.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
		if n, err := conn.Write(chunk); errors.Is(err, os.ErrDeadlineExceeded) && n == 0 {
			return
		} else if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("filling the path: %v", err)
		}
	}
}
