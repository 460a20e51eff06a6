package proxy

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const ms = time.Millisecond

// What each toxic does to the two ends. The tests take the time before they connect,
// because toxiproxy's timers may start before the client's connect returns.

func add(t *testing.T, p *path, toxic Toxic) {
	t.Helper()
	if err := p.route.Add(toxic); err != nil {
		t.Fatal(err)
	}
}

func addLive(t *testing.T, p *path, toxic Toxic) {
	t.Helper()
	if err := p.route.AddLive(toxic); err != nil {
		t.Fatal(err)
	}
}

func removeLive(t *testing.T, p *path, toxic Toxic) {
	t.Helper()
	if err := p.route.RemoveLive(toxic); err != nil {
		t.Fatal(err)
	}
}

func TestTimeoutOfIdleConnectionIsFin(t *testing.T) {
	p := newPath(t)
	add(t, p, Timeout{After: 1000 * ms})
	start := time.Now()
	client, server := p.connect(t)
	ends(t, "client", client, fin)
	due(t, "FIN", start, 1000*ms)
	ends(t, "server", server, fin)
	due(t, "FIN", start, 1000*ms)
}

func TestTimeoutStartsAgainWithEachChunk(t *testing.T) {
	p := newPath(t)
	add(t, p, Timeout{After: 400 * ms})
	client, server := p.connect(t)
	var last time.Time
	for range 8 {
		last = time.Now()
		send(t, server, "beat")
		silent(t, "client", client, last.Add(150*ms))
	}
	ends(t, "client", client, fin)
	due(t, "FIN", last, 400*ms)
	ends(t, "server", server, fin)
}

func TestTimeoutZeroDiscardsOneDirectionAndClosesWhenRemoved(t *testing.T) {
	p := newPath(t)
	client, server := p.connect(t)
	toxic := Timeout{Stream: Downstream}
	addLive(t, p, toxic)
	send(t, server, "lost")
	send(t, client, "request")
	receives(t, "server", server, "request")
	silent(t, "client", client, time.Now().Add(300*ms))
	removeLive(t, p, toxic)
	ends(t, "client", client, fin) // and not "lost"
	ends(t, "server", server, fin)
}

func TestBandwidthZeroHoldsAndDeliversWhenRemoved(t *testing.T) {
	p := newPath(t)
	client, server := p.connect(t)
	toxic := Bandwidth{Stream: Upstream}
	addLive(t, p, toxic)
	send(t, client, "held, ")
	silent(t, "server", server, time.Now().Add(300*ms))
	send(t, client, "not lost")
	removeLive(t, p, toxic)
	receives(t, "server", server, "held, not lost")
	send(t, server, "healed")
	receives(t, "client", client, "healed")
}

func TestBandwidthIsInThousandBytesASecond(t *testing.T) {
	p := newPath(t)
	add(t, p, Bandwidth{Stream: Upstream, KBps: 100})
	client, server := p.connect(t)
	text := strings.Repeat("x", 50_000)
	start := time.Now()
	send(t, client, text)
	receives(t, "server", server, text)
	due(t, "50,000 bytes at 100 KB/s", start, 500*ms)
}

func TestResetPeerIsRstToBothAfterTheFirstByte(t *testing.T) {
	p := newPath(t)
	add(t, p, ResetPeer{Stream: Upstream, After: 300 * ms})
	client, server := p.connect(t)
	silent(t, "client", client, time.Now().Add(500*ms)) // an idle connection is not reset
	start := time.Now()
	send(t, client, "first byte")
	ends(t, "client", client, rst)
	due(t, "RST", start, 300*ms)
	ends(t, "server", server, rst)
}

func TestResetPeerIsFinOnALiveConnection(t *testing.T) {
	p := newPath(t)
	client, server := p.connect(t)
	send(t, server, "live") // see AddLive: a connection that is accepted may not be live yet
	receives(t, "client", client, "live")
	addLive(t, p, ResetPeer{Stream: Upstream})
	send(t, client, "first byte")
	ends(t, "client", client, fin)
	ends(t, "server", server, fin)
}

func TestResetPeerOfToxicityZeroTurnsOrderlyCloseIntoRst(t *testing.T) {
	p := newPath(t)
	add(t, p, ResetPeer{Stream: Upstream, Toxicity: new(0.0)})
	client, server := p.connect(t)
	send(t, client, "data flows")
	receives(t, "server", server, "data flows")
	_ = client.Close()
	ends(t, "server", server, rst)
}

func TestLimitDataClosesAfterThatManyBytes(t *testing.T) {
	p := newPath(t)
	add(t, p, LimitData{Bytes: 10})
	client, server := p.connect(t)
	send(t, server, "12345")
	receives(t, "client", client, "12345")
	silent(t, "client", client, time.Now().Add(100*ms))
	send(t, server, "67890 too much")
	receives(t, "client", client, "67890")
	ends(t, "client", client, fin)
	ends(t, "server", server, fin)
}

func TestSlowClosePassesFinOnLater(t *testing.T) {
	p := newPath(t)
	add(t, p, SlowClose{Stream: Upstream, Delay: 700 * ms})
	client, server := p.connect(t)
	start := time.Now()
	_ = client.Close()
	ends(t, "server", server, fin)
	due(t, "FIN", start, 700*ms)
}

func TestLatencyOfBothStreamsAddsUp(t *testing.T) {
	p := newPath(t)
	add(t, p, Latency{Stream: Upstream, Delay: 200 * ms})
	client, server := p.connect(t)
	addLive(t, p, Latency{Stream: Downstream, Delay: 100 * ms})
	start := time.Now()
	send(t, client, "ping")
	receives(t, "server", server, "ping")
	due(t, "ping", start, 200*ms)
	send(t, server, "pong")
	receives(t, "client", client, "pong")
	due(t, "pong", start, 300*ms)
}

func TestDisableIsFinToBothAndRefusesNewClients(t *testing.T) {
	p := newPath(t)
	client, server := p.connect(t)
	for range 2 { // the second time does nothing
		if err := p.route.Disable(); err != nil {
			t.Fatal(err)
		}
	}
	ends(t, "client", client, fin)
	ends(t, "server", server, fin)
	if _, err := p.dial(p.route.Address()); !errors.Is(err, unix.ECONNREFUSED) {
		t.Fatalf("connecting to a disabled route: %v, expected ECONNREFUSED", err)
	}
	for range 2 {
		if err := p.route.Enable(); err != nil {
			t.Fatal(err)
		}
	}
	client, server = p.connect(t)
	send(t, client, "again")
	receives(t, "server", server, "again")
}

func TestDisableIsRstWhereDataWasUnread(t *testing.T) {
	p := newPath(t)
	client, _ := p.connect(t)
	fill(t, client)
	if err := p.route.Disable(); err != nil {
		t.Fatal(err)
	}
	ends(t, "client", client, rst)
}

func TestHalfCloseBecomesAFullClose(t *testing.T) {
	p := newPath(t)
	client, server := p.connect(t)
	send(t, client, "request")
	if err := client.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	receives(t, "server", server, "request")
	ends(t, "server", server, fin)
	send(t, server, "reply") // is answered with RST
	raw, err := server.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	_ = raw.Control(func(fd uintptr) {
		fds := []unix.PollFd{{Fd: int32(fd)}} // poll(2) reports POLLHUP unasked
		for err = unix.EINTR; err == unix.EINTR; {
			_, err = unix.Poll(fds, int(promptly.Milliseconds()))
		}
		if fds[0].Revents&unix.POLLHUP == 0 {
			t.Errorf("the server's socket was not reset (%v)", err)
		}
	})
	if _, err := server.Write([]byte("reply")); !errors.Is(err, unix.EPIPE) {
		t.Errorf("the server's second write: %v, expected EPIPE", err)
	}
	ends(t, "client", client, fin) // without the reply
}

func TestRstOfTheServerBecomesFin(t *testing.T) {
	p := newPath(t)
	through := p.route.Address()
	direct := p.server.Addr().(*net.TCPAddr).AddrPort()
	for _, test := range []struct {
		who  string
		to   netip.AddrPort
		want error
	}{
		{"client of the server", direct, rst},
		{"client of the route", through, fin},
	} {
		client, server := p.connectTo(t, test.to)
		if err := server.SetLinger(0); err != nil {
			t.Fatal(err)
		}
		_ = server.Close()
		ends(t, test.who, client, test.want)
	}
}

func TestRefusedUpstreamIsAnOrderlyClose(t *testing.T) {
	p := newPath(t)
	_ = p.server.Close()
	client, err := p.dial(p.route.Address())
	if err != nil {
		t.Fatalf("connecting to a route whose upstream refuses: %v, expected success", err)
	}
	defer func() { _ = client.Close() }()
	ends(t, "client", client, fin)
}

func TestKillIsFinToBoth(t *testing.T) {
	p := newPath(t)
	client, server := p.connect(t)
	for range 2 {
		if err := p.proxy.Kill(); err != nil {
			t.Fatal(err)
		}
	}
	ends(t, "client", client, fin)
	ends(t, "server", server, fin)
	if err := unix.Kill(p.proxy.PID(), 0); err != unix.ESRCH {
		t.Errorf("signalling the killed child: %v, expected ESRCH", err)
	}
	if err := p.route.Enable(); err == nil || !strings.Contains(err.Error(), "was killed: Start another") {
		t.Errorf("Enable after Kill: %v, expected an error that says it was killed", err)
	}
}
