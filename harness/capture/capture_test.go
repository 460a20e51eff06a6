package capture_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gopacket/gopacket/pcapgo"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/link"
	"github.com/halfopen-lab/halfopen/harness/netns"
	"github.com/halfopen-lab/halfopen/harness/private"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

func TestMain(m *testing.M) { private.Main(m.Run) }

var clientAddress, serverAddress = netip.MustParseAddr("192.0.2.10"), netip.MustParseAddr("192.0.2.20")

type host struct {
	ns      *netns.Namespace
	links   *link.Links
	packets *capture.Capture
}

func newHost(t *testing.T, name string) *host {
	t.Helper()
	ns, err := netns.New(name)
	must(t, err)
	links, err := link.Open(ns)
	must(t, err)
	packets, err := capture.Start(ns, name)
	must(t, err)
	t.Cleanup(func() { links.Close(); packets.Close(); _ = ns.Close() })
	return &host{ns, links, packets}
}

type network struct {
	client, server *host
	conn, accepted *sock.Conn
}

func connect(t *testing.T) *network {
	t.Helper()
	t.Parallel()
	n := &network{client: newHost(t, "client"), server: newHost(t, "server")}
	must(t, link.Join(link.End{Links: n.client.links, Name: "to-server"}, link.End{Links: n.server.links, Name: "to-client"}))
	must(t, n.client.links.Address("to-server", netip.PrefixFrom(clientAddress, 24)))
	must(t, n.server.links.Address("to-client", netip.PrefixFrom(serverAddress, 24)))
	var l *sock.Listener
	must(t, n.server.ns.Do(func() (err error) { l, err = sock.Listen(netip.AddrPortFrom(serverAddress, 5000), 5); return err }))
	must(t, n.client.ns.Do(func() (err error) { n.conn, err = sock.Socket(sock.IPv4); return err }))
	_ = n.conn.Connect(l.Local()) // EINPROGRESS
	must(t, n.server.ns.Do(func() (err error) { n.accepted, err = l.AwaitAccept(promptly(t)); return err }))
	t.Cleanup(func() { _, _, _ = l.Close(), n.conn.Close(), n.accepted.Close() })
	return n
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func promptly(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// arrive sends text to the server, which reads it.
func (n *network) arrive(t *testing.T, text string) {
	t.Helper()
	_, err := n.conn.Send([]byte(text))
	must(t, err)
	must(t, n.accepted.AwaitReadable(promptly(t)))
	_, err = n.accepted.Receive(make([]byte, len(text)))
	must(t, err)
}

func (h *host) await(t *testing.T, match capture.Match) capture.Packet {
	t.Helper()
	for ctx := promptly(t); ; time.Sleep(time.Millisecond) {
		if found := h.packets.Find(match); len(found) > 0 {
			return found[0]
		}
		if ctx.Err() != nil {
			t.Fatalf("%s has not seen any %v in 5 s, only\n%v", h.ns.Name(), match, h.packets.Packets())
		}
	}
}

func TestEachEndSeesAConnectionFromItsSide(t *testing.T) {
	began, n := time.Now().Round(0), connect(t)
	n.arrive(t, "five!")
	must(t, n.conn.Shutdown(unix.SHUT_WR))
	n.server.await(t, capture.FIN)
	there, back := [2]netip.AddrPort{n.conn.Local(), n.conn.Remote()}, [2]netip.AddrPort{n.conn.Remote(), n.conn.Local()}
	must(t, n.conn.Abort())
	n.server.await(t, capture.RST)
	for _, c := range []struct {
		match  capture.Match
		way    [2]netip.AddrPort
		length int
		text   string // RFC 9293 §3.4: SYN, FIN and each byte count one
	}{
		{capture.SYN, there, 0, "SYN seq 0 win "},
		{capture.SYNACK, back, 0, "SYN,ACK seq 0 ack 1 win "},
		{capture.Data, there, 5, "PSH,ACK seq 1:6 ack 1 win "},
		{capture.FIN, there, 0, "FIN,ACK seq 6 ack 1 win "},
		{capture.RST, there, 0, "RST,ACK seq 7 ack 1 win "},
	} {
		for h, on := range map[*host]string{n.client: "to-server", n.server: "to-client"} {
			found := h.packets.Find(c.match)
			if len(found) != 1 {
				t.Fatalf("%s has seen %d × %v, expected 1, among\n%v", h.ns.Name(), len(found), c.match, h.packets.Packets())
			}
			p, out := found[0], (h == n.client) == (c.way == there)
			want := fmt.Sprintf("%s %s: %v > %v %s", map[bool]string{true: "out", false: "in "}[out], on, c.way[0], c.way[1], c.text)
			if p.Src != c.way[0] || p.Dst != c.way[1] || p.Out != out || p.Link != on || !p.TCP || p.Length != c.length || p.Role != capture.Ordinary ||
				p.At.Before(began) || p.At.After(time.Now()) || !strings.HasPrefix(p.String(), want) {
				t.Errorf("%s sees the %v at %v as %v, expected %q, length %d, ordinary, between %v and now", h.ns.Name(), c.match, p.At, p, want, c.length, began)
			}
		}
	}
}

func TestAPacketIsInTheCaptureOnceAProgramHasSeenItsEffect(t *testing.T) {
	n := connect(t)
	must(t, n.conn.SetOption(unix.IPPROTO_TCP, unix.TCP_NODELAY, 1))
	for i := range 200 {
		n.arrive(t, "x")
		arrived, sent := len(n.server.packets.Find(capture.Data)), len(n.client.packets.Find(capture.Data))
		if arrived <= i || sent <= i { // a busy machine may send one again
			t.Fatalf("when byte %d was read the server's capture had %d and the client's %d, expected all", i+1, arrived, sent)
		}
	}
}

// A probe has no data and a sequence number one below snd_una (net/ipv4/tcp_output.c,
// tcp_xmit_probe_skb).
func TestAKeepaliveProbeIsToldFromAPureACK(t *testing.T) {
	n := connect(t)
	n.arrive(t, "five!")
	must(t, n.conn.SetKeepalive(time.Second, time.Second, 5))
	last := n.client.await(t, capture.SYN).Seq + 5 // of the bytes that were sent
	for _, h := range []*host{n.client, n.server} {
		p := h.await(t, capture.KeepaliveProbe)
		if p.Out != (h == n.client) || p.Src != n.conn.Local() || p.Role != capture.Probe || p.Length != 0 || p.Seq != last || !strings.HasSuffix(p.String(), " (keepalive probe)") {
			t.Errorf("%s sees the probe as %+v, expected length 0 and seq %d", h.ns.Name(), p, last)
		}
		// The ACKs of the handshake and of the data have no data either.
		acks := slices.DeleteFunc(h.packets.Packets(), func(p capture.Packet) bool { return !p.TCP || p.SYN || p.Length > 0 || p.Seq == last })
		if len(acks) < 2 || slices.ContainsFunc(acks, func(p capture.Packet) bool { return p.Role != capture.Ordinary }) {
			t.Errorf("%s has seen the pure ACKs %v, expected 2 or more, all ordinary", h.ns.Name(), acks)
		}
	}
}

func TestAProbeOfAClosedWindowIsAWindowProbe(t *testing.T) {
	n := connect(t)
	for ctx := promptly(t); len(n.client.packets.Find(capture.ZeroWindow)) == 0 && ctx.Err() == nil; {
		_, _ = n.conn.Send(make([]byte, 1<<16))
	}
	closed := n.client.await(t, capture.All(capture.Incoming, capture.ZeroWindow))
	probe := n.client.await(t, capture.WindowProbe)
	if !probe.Out || probe.Length != 0 || probe.Seq != closed.Ack-1 || len(n.client.packets.Find(capture.KeepaliveProbe)) > 0 {
		t.Errorf("the probe is %+v, expected it out, length 0, seq %d, and no keepalive probe", probe, closed.Ack-1)
	}
}

// The server receives the client's packets and cannot answer. (If its link were down, the client
// would have no carrier and discard packets before the capture sees them.)
func TestWhatIsNotAcknowledgedIsSentAgain(t *testing.T) {
	for text, sort := range map[string]capture.Match{"eight...": capture.Data, "": capture.FIN} {
		t.Run(sort.String(), func(t *testing.T) {
			n := connect(t)
			must(t, n.server.links.Blackhole(netip.PrefixFrom(clientAddress, 32)))
			_, err := n.conn.Send([]byte(text))
			if text == "" {
				err = n.conn.Shutdown(unix.SHUT_WR)
			}
			must(t, err)
			for _, h := range []*host{n.client, n.server} {
				again, first := h.await(t, capture.Retransmission), h.await(t, sort)
				if !sort.Matches(again) || again.Out != (h == n.client) || again.Seq != first.Seq || again.Length != len(text) || first.Role != capture.Ordinary {
					t.Errorf("%s has seen %v and then %v, expected an ordinary packet and the same again", h.ns.Name(), first, again)
				}
			}
		})
	}
}

func TestThePcapngFileHasEveryPacketInOrder(t *testing.T) {
	n := connect(t)
	n.arrive(t, strings.Repeat("x", 1000))
	// No packet may come between the two looks.
	must(t, errors.Join(n.client.links.Down("to-server"), n.server.links.Down("to-client")))
	total := len(n.server.packets.Packets()) + len(n.client.packets.Packets())
	r := reread(t, n.server.packets, n.client.packets)
	cut, last := map[string]int{}, time.Time{}
	for i := range total {
		data, info, err := r.ReadPacketData()
		if err != nil || info.Timestamp.Before(last) || len(data) != min(info.Length, 256) {
			t.Fatalf("packet %d of %d is of %v with %d of %d bytes (%v), expected after %v and at most 256", i, total, info.Timestamp, len(data), info.Length, err, last)
		}
		last = info.Timestamp
		on, _ := r.Interface(info.InterfaceIndex)
		// Ethernet 14, IPv4 20, TCP with time stamps 32.
		if headers := 14 + 20 + 32; info.Length == headers+1000 && bytes.HasSuffix(data, bytes.Repeat([]byte{'x'}, 256-headers)) {
			cut[on.Name]++
		}
	}
	if _, _, err := r.ReadPacketData(); err != io.EOF {
		t.Errorf("after %d packets: %v, expected the end of the file", total, err)
	}
	if want := map[string]int{"client to-server": 1, "server to-client": 1}; !maps.Equal(cut, want) || r.NInterfaces() != 2 {
		t.Errorf("there are %d interfaces, and the data was seen on %v, expected 2, and %v", r.NInterfaces(), cut, want)
	}
}

func reread(t *testing.T, captures ...*capture.Capture) *pcapgo.NgReader {
	var file bytes.Buffer
	must(t, capture.WritePcapng(&file, captures...))
	r, err := pcapgo.NewNgReader(&file, pcapgo.DefaultNgReaderOptions)
	must(t, err)
	return r
}

func TestLoopbackIsNotCapturedAndAFileOfNothingIsValid(t *testing.T) {
	t.Parallel()
	h := newHost(t, "client")
	err := h.ns.Do(func() error { _, err := net.Dial("tcp", "127.0.0.1:9"); return err })
	if got := h.packets.Packets(); len(got) > 0 || !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("connecting to 127.0.0.1: %v, expected ECONNREFUSED; the capture has %v, expected nothing", err, got)
	}
	for _, r := range []*pcapgo.NgReader{reread(t), reread(t, h.packets)} {
		if _, _, err := r.ReadPacketData(); err != io.EOF {
			t.Errorf("reading a file without packets: %v, expected its end", err)
		}
	}
}

func TestMatchesAreNamedAndCombined(t *testing.T) {
	client := netip.AddrPortFrom(clientAddress, 40000)
	expect := func(match capture.Match, name string, want bool) {
		if got := match.Matches(capture.Packet{TCP: true, Length: 5, Src: client}); match.String() != name || got != want {
			t.Errorf("%q matches data from %v: %v, expected %q and %v", match, client, got, name, want)
		}
	}
	expect(capture.All(capture.Data, capture.From(client)), "data from 192.0.2.10:40000", true)
	expect(capture.All(capture.Data, capture.From(netip.AddrPortFrom(serverAddress, 5000))), "data from 192.0.2.20:5000", false)
	expect(capture.Any(capture.RST, capture.Data), "RST or data", true)
	expect(capture.Any(capture.RST, capture.FIN), "RST or FIN", false)
}

func TestARoleThatThereIsNotHasItsNumberForAName(t *testing.T) {
	for role, name := range map[capture.Role]string{
		capture.Ordinary: "", capture.ZeroWindowTest: "window probe", capture.ZeroWindowTest + 1: "role 4", -1: "role -1",
	} {
		if got := role.String(); got != name {
			t.Errorf("the role prints %q, expected %q", got, name)
		}
	}
}

// Not parallel: it counts descriptors and goroutines of the whole process.
func TestCloseLetsGoOfTheDescriptorAndTheGoroutine(t *testing.T) {
	// Captures close in the background, also those of earlier tests.
	expect := func(want string) {
		t.Helper()
		for ctx := promptly(t); ; time.Sleep(time.Millisecond) {
			fds, _ := filepath.Glob("/proc/self/fd/*")
			sockets := slices.DeleteFunc(fds, func(fd string) bool { to, _ := os.Readlink(fd); return !strings.HasPrefix(to, "socket:") })
			stacks := make([]byte, 1<<20)
			goroutines := strings.Count(string(stacks[:runtime.Stack(stacks, true)]), "/harness/capture.Start in goroutine")
			got := fmt.Sprintf("%d sockets, %d goroutines", len(sockets), goroutines)
			if got == want {
				return
			}
			if ctx.Err() != nil {
				t.Fatalf("there are %s, expected %s", got, want)
			}
		}
	}
	ns, err := netns.New(t.Name())
	must(t, err)
	defer func() { _ = ns.Close() }()
	expect("0 sockets, 0 goroutines")
	c, err := capture.Start(ns, "client")
	must(t, err)
	expect("1 sockets, 1 goroutines")
	c.Close()
	expect("0 sockets, 0 goroutines")
}
