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

var loopback = netip.MustParseAddrPort("127.0.0.1:0")

func TestForward(t *testing.T) {
	p := newPath(t)
	client, server := p.connect(t)
	send(t, client, "request")
	receives(t, "server", server, "request")
	send(t, server, "reply")
	receives(t, "client", client, "reply")
	_ = client.Close()
	ends(t, "server", server, fin)
	want := "toxiproxy-cli create --listen " + p.route.Address().String() + " --upstream " + p.server.Addr().String() + " route"
	if got := p.route.Command(); got != want || p.route.Address().Port() == 0 {
		t.Errorf("Command: %s, want %s with a true port", got, want)
	}
}

func TestForwardToAndFromIPv6(t *testing.T) {
	p := newPath(t)
	route, err := p.proxy.Forward("six", "[::1]:0", p.server.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	back, err := p.proxy.Forward("back", "127.0.0.1:0", route.Address().String())
	if err != nil {
		t.Fatal(err)
	}
	p.route = back
	client, server := p.connect(t)
	send(t, client, "request")
	receives(t, "server", server, "request")
}

func TestForwardWhatCannotBe(t *testing.T) {
	p := newPath(t)
	taken := p.route.Address().String()
	for name, test := range map[string]struct {
		name, listen, upstream string
		is                     error
		want                   string
	}{
		"port in use":       {"r", taken, "127.0.0.1:1", unix.EADDRINUSE, "another route or program listens there"},
		"foreign address":   {"r", "192.0.2.1:80", "127.0.0.1:1", unix.EADDRNOTAVAIL, "no link in the proxy's namespace has that address"},
		"name in use":       {"route", "127.0.0.1:0", "127.0.0.1:1", nil, "proxy already exists"},
		"empty name":        {"", "127.0.0.1:0", "127.0.0.1:1", nil, "a route's name is letters"},
		"path in the name":  {"a/../b", "127.0.0.1:0", "127.0.0.1:1", nil, "a route's name is letters"},
		"host name":         {"r", "localhost:0", "127.0.0.1:1", nil, "the listening address"},
		"upstream's name":   {"r", "127.0.0.1:0", "localhost:1", nil, "the upstream address"},
		"no upstream":       {"r", "127.0.0.1:0", "", nil, "the upstream address"},
		"no port":           {"r", "127.0.0.1:0", "127.0.0.1", nil, "the upstream address"},
		"upstream's port 0": {"r", "127.0.0.1:0", "127.0.0.1:0", nil, "has no port"},
	} {
		_, err := p.proxy.Forward(test.name, test.listen, test.upstream)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v, expected one line with %q", name, err, test.want)
		}
		if test.is != nil && !errors.Is(err, test.is) {
			t.Errorf("%s: %v, expected it to be %v", name, err, test.is)
		}
	}
	// The attempts that failed have left no route that holds the name.
	if _, err := p.proxy.Forward("r", "127.0.0.1:0", "127.0.0.1:1"); err != nil {
		t.Error(err)
	}
	// The route whose name and port the attempts asked for still works.
	client, server := p.connect(t)
	send(t, client, "request")
	receives(t, "server", server, "request")
}

func TestEnableWhenThePortIsGone(t *testing.T) {
	p := newPath(t)
	if err := p.route.Disable(); err != nil {
		t.Fatal(err)
	}
	var thief net.Listener
	if err := p.ns.Do(func() (err error) {
		thief, err = net.Listen("tcp", p.route.Address().String())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := p.route.Enable(); !errors.Is(err, unix.EADDRINUSE) {
		t.Errorf("Enable: %v, expected EADDRINUSE", err)
	}
	_ = thief.Close()
	if err := p.route.Enable(); err != nil {
		t.Error(err)
	}
}

func TestAddKeepsOtherToxicsPortAndState(t *testing.T) {
	p := newPath(t)
	address := p.route.Address()
	slow, limit := Latency{Stream: Upstream, Delay: 150 * ms}, LimitData{Stream: Upstream, Bytes: 4}
	if err := p.route.Disable(); err != nil {
		t.Fatal(err)
	}
	add(t, p, slow)
	if _, err := p.dial(p.route.Address()); !errors.Is(err, unix.ECONNREFUSED) {
		t.Fatalf("connecting after Add to a disabled route: %v, expected ECONNREFUSED", err)
	}
	if err := p.route.Enable(); err != nil {
		t.Fatal(err)
	}
	add(t, p, limit)
	if got := p.route.Address(); got != address {
		t.Errorf("the route moved from %v to %v", address, got)
	}
	client, server := p.connect(t)
	start := time.Now()
	send(t, client, "12345")
	receives(t, "server", server, "1234")
	due(t, "data", start, slow.Delay)
	ends(t, "server", server, fin)

	if err := p.route.Remove(limit); err != nil {
		t.Fatal(err)
	}
	client, server = p.connect(t)
	start = time.Now()
	send(t, client, "12345")
	receives(t, "server", server, "12345")
	due(t, "data", start, slow.Delay)

	if err := p.route.Remove(slow); err != nil {
		t.Fatal(err)
	}
	ends(t, "client", client, fin) // the safe order ends connections
	client, server = p.connect(t)
	start = time.Now()
	send(t, client, "12345")
	receives(t, "server", server, "12345")
	if took := time.Since(start); took >= slow.Delay {
		t.Errorf("data took %v without a toxic", took)
	}
}

func TestToxicTwiceOrNotThere(t *testing.T) {
	p := newPath(t)
	for name, test := range map[string]struct{ add, remove func(Toxic) error }{
		"safe": {p.route.Add, p.route.Remove},
		"live": {p.route.AddLive, p.route.RemoveLive},
	} {
		if err := test.remove(SlowClose{}); err == nil || !strings.Contains(err.Error(), "toxic slow_close_downstream of route route: there is no toxic of that type") {
			t.Errorf("%s: removing what is not there: %v", name, err)
		}
		if err := errors.Join(test.add(SlowClose{}), test.add(SlowClose{Stream: Upstream})); err != nil {
			t.Errorf("%s: adding: %v", name, err)
		}
		if err := test.add(SlowClose{Delay: ms}); err == nil || !strings.Contains(err.Error(), "it is there already") {
			t.Errorf("%s: adding twice: %v", name, err)
		}
		if err := errors.Join(test.remove(SlowClose{}), test.remove(SlowClose{Stream: Upstream})); err != nil {
			t.Errorf("%s: removing: %v", name, err)
		}
	}
}

func TestAddIsSafeWhileTheReceiverDoesNotRead(t *testing.T) {
	p := newPath(t)
	client, _ := p.connect(t)
	fill(t, client)
	add(t, p, SlowClose{Stream: Upstream})
	client, server := p.connect(t)
	send(t, client, "request")
	receives(t, "server", server, "request")
}

func TestAddDoesNotWaitForAToxicThatIsBusy(t *testing.T) {
	p := newPath(t)
	client, server := p.connect(t)
	send(t, server, "live") // see AddLive: a connection that is accepted may not be live yet
	receives(t, "client", client, "live")
	addLive(t, p, ResetPeer{Stream: Upstream, After: 2 * time.Second})
	send(t, client, "reset me in 2 s")
	silent(t, "client", client, time.Now().Add(200*ms))
	p.proxy.patience = 1 * time.Second
	add(t, p, Latency{Stream: Upstream})
	ends(t, "client", client, fin)
}

func TestAddLiveWhileTheReceiverDoesNotReadKillsToxiproxy(t *testing.T) {
	p := newPath(t)
	client, _ := p.connect(t)
	fill(t, client)
	p.proxy.patience = 500 * ms // nobody else uses it yet
	start := time.Now()
	err := p.route.AddLive(Latency{Stream: Upstream, Delay: 10 * ms})
	if took := time.Since(start); took < 500*ms {
		t.Errorf("AddLive returned after %v", took)
	}
	if err == nil || !strings.Contains(err.Error(), "did not answer POST /proxies/route/toxics within 500ms and was killed: it deadlocks") {
		t.Fatalf("AddLive: %v, expected an error that says that toxiproxy deadlocked and was killed", err)
	}
	if again := p.route.Disable(); again == nil || !strings.Contains(again.Error(), "was killed: it deadlocks") {
		t.Errorf("Disable after that: %v, expected the same reason", again)
	}
	if err := unix.Kill(p.proxy.PID(), 0); err != unix.ESRCH {
		t.Errorf("signalling the killed child: %v, expected ESRCH", err)
	}
}
