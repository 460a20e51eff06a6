package link_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	vnetns "github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/link"
	"github.com/halfopen-lab/halfopen/harness/netns"
	"github.com/halfopen-lab/halfopen/harness/private"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

func TestMain(m *testing.M) { private.Main(m.Run) }

type host struct {
	ns    *netns.Namespace
	links *link.Links
}

func newHost(t *testing.T, name string) *host {
	t.Helper()
	ns, err := netns.New(name)
	must(t, err)
	t.Cleanup(func() { _ = ns.Close() })
	links, err := link.Open(ns)
	must(t, err)
	t.Cleanup(links.Close)
	h := &host{ns, links}
	// As in a lab: without it the kernel drops IPv6 addresses when their link goes down.
	h.switchOn(t, "ipv6/conf/default/keep_addr_on_down")
	return h
}

func (h *host) switchOn(t *testing.T, sysctl string) {
	t.Helper()
	must(t, h.ns.Do(func() error { return os.WriteFile("/proc/sys/net/"+sysctl, []byte("1"), 0) }))
}

// join joins two hosts by a cable and makes each the other's neighbour.
func join(t *testing.T, a *host, aName string, b *host, bName string, aPrefixes, bPrefixes []string) {
	t.Helper()
	aMAC, bMAC := net.HardwareAddr{2, 0, 0, 0, 0, 1}, net.HardwareAddr{2, 0, 0, 0, 0, 2}
	must(t, link.Join(link.End{Links: a.links, Name: aName, MAC: aMAC}, link.End{Links: b.links, Name: bName, MAC: bMAC}))
	for i := range aPrefixes {
		aPrefix, bPrefix := netip.MustParsePrefix(aPrefixes[i]), netip.MustParsePrefix(bPrefixes[i])
		must(t, errors.Join(a.links.Address(aName, aPrefix), a.links.Neighbour(aName, bPrefix.Addr(), bMAC)))
		must(t, errors.Join(b.links.Address(bName, bPrefix), b.links.Neighbour(bName, aPrefix.Addr(), aMAC)))
	}
	must(t, errors.Join(a.links.AwaitUp(aName), b.links.AwaitUp(bName)))
}

// connect returns the error of a connection to a closed port: ECONNREFUSED if packets go
// there and back, and otherwise the kernel's error for the route.
func (h *host) connect(to string, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	address, family := netip.MustParseAddr(to), sock.IPv6
	if address.Is4() {
		family = sock.IPv4
	}
	return h.ns.Do(func() error {
		c, err := sock.Socket(family)
		if err != nil {
			return err
		}
		defer func() { _ = c.Close() }()
		if err := c.Connect(netip.AddrPortFrom(address, 9)); err != unix.EINPROGRESS {
			return err
		}
		return c.AwaitConnected(ctx)
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func expectReach(t *testing.T, h *host, when string, want error, to ...string) {
	t.Helper()
	for _, address := range to {
		if err := h.connect(address, 5*time.Second); err != want {
			t.Errorf("%s, connecting to %s: %v, expected %v", when, address, err, want)
		}
	}
}

// pair returns two hosts with a cable. The server has an address that needs a route.
func pair(t *testing.T) (client, server *host) {
	t.Helper()
	t.Parallel()
	client, server = newHost(t, "client"), newHost(t, "server")
	join(t, client, "right", server, "left", []string{"192.0.2.1/24", "2001:db8::1/64"}, []string{"192.0.2.2/24", "2001:db8::2/64"})
	must(t, server.links.Address("lo", netip.MustParsePrefix("198.51.100.2/32")))
	must(t, server.links.Address("lo", netip.MustParsePrefix("2001:db8:1::2/128")))
	return client, server
}

// behind has the prefixes behind the server, each with its gateway.
var behind = map[string]string{"198.51.100.0/24": "192.0.2.2", "2001:db8:1::/64": "2001:db8::2"}

func (h *host) route(t *testing.T, routes map[string]string) {
	t.Helper()
	for to, via := range routes {
		must(t, h.links.Route(netip.MustParsePrefix(to), netip.MustParseAddr(via)))
	}
}

func TestPacketsGoThroughACableAtOnce(t *testing.T) {
	client, server := pair(t)
	expectReach(t, client, "joined", unix.ECONNREFUSED, "192.0.2.2", "2001:db8::2")
	expectReach(t, server, "joined", unix.ECONNREFUSED, "192.0.2.1", "2001:db8::1")
}

// If the indexes were the same, the kernel would let a carrier wait for up to a second.
func TestNoEndOfACableHasTheIndexOfItsOtherEnd(t *testing.T) {
	client, server := pair(t)
	join(t, client, "second", server, "second", nil, nil)
	for _, end := range []struct {
		host *host
		name string
	}{{client, "right"}, {server, "left"}, {client, "second"}, {server, "second"}} {
		kernel, err := netlink.NewHandleAt(vnetns.NsHandle(end.host.ns.FD()), unix.NETLINK_ROUTE)
		must(t, err)
		defer kernel.Close()
		l, err := kernel.LinkByName(end.name)
		must(t, err)
		if a := l.Attrs(); a.Index == a.ParentIndex {
			t.Errorf("%s %s has the index %d, and so has its other end", end.host.ns.Name(), end.name, a.Index)
		}
	}
}

func TestOpenBringsLoopbackUp(t *testing.T) {
	t.Parallel()
	expectReach(t, newHost(t, "client"), "opened", unix.ECONNREFUSED, "127.0.0.1", "::1")
}

func TestARouteLeadsThroughItsGateway(t *testing.T) {
	client, _ := pair(t)
	expectReach(t, client, "without a route", unix.ENETUNREACH, "198.51.100.2", "2001:db8:1::2")
	client.route(t, behind)
	expectReach(t, client, "with a route", unix.ECONNREFUSED, "198.51.100.2", "2001:db8:1::2")
}

func TestTheDefaultRouteIsAPrefixOfLengthZero(t *testing.T) {
	client, _ := pair(t)
	client.route(t, map[string]string{"0.0.0.0/0": "192.0.2.2", "::/0": "2001:db8::2"})
	expectReach(t, client, "with a default route", unix.ECONNREFUSED, "198.51.100.2", "2001:db8:1::2")
}

func TestRoutesComeBackWithTheirLink(t *testing.T) {
	client, _ := pair(t)
	client.route(t, behind)
	expectReach(t, client, "before Down", unix.ECONNREFUSED, "192.0.2.2", "198.51.100.2", "2001:db8::2", "2001:db8:1::2")
	must(t, client.links.Down("right"))
	expectReach(t, client, "after Down", unix.ENETUNREACH, "192.0.2.2", "198.51.100.2", "2001:db8::2", "2001:db8:1::2")
	must(t, client.links.Up("right"))
	expectReach(t, client, "after Up", unix.ECONNREFUSED, "192.0.2.2", "198.51.100.2", "2001:db8::2", "2001:db8:1::2")
}

// A host has two cables: the routes over one must not keep the other from coming up.
func TestALinkComesUpWhileAnotherIsDown(t *testing.T) {
	client, server := pair(t)
	client.route(t, behind)
	join(t, client, "second", server, "second", []string{"203.0.113.1/24", "2001:db8:2::1/64"}, []string{"203.0.113.2/24", "2001:db8:2::2/64"})
	expectReach(t, client, "with both up", unix.ECONNREFUSED, "2001:db8::2", "2001:db8:2::2")
	for _, name := range []string{"right", "second"} {
		must(t, client.links.Down(name))
	}
	if err := client.links.Up("second"); err != nil {
		t.Fatalf("bringing second up while right is down: %v", err)
	}
	expectReach(t, client, "with second up alone", unix.ECONNREFUSED, "203.0.113.2", "2001:db8:2::2")
	expectReach(t, client, "with second up alone", unix.ENETUNREACH, "198.51.100.2", "2001:db8:1::2")
	must(t, client.links.Up("right"))
	expectReach(t, client, "with both up", unix.ECONNREFUSED, "198.51.100.2", "2001:db8:1::2")
}

func TestBothEndsLoseCarrierWhenOneGoesDown(t *testing.T) {
	client, server := pair(t)
	expect := func(when string, want bool) {
		t.Helper()
		for h, name := range map[*host]string{client: "right", server: "left"} {
			if got, err := h.links.Carrier(name); err != nil || got != want {
				t.Errorf("%s, the carrier of %s %s is %v (%v), expected %v", when, h.ns.Name(), name, got, err, want)
			}
		}
	}
	expect("joined", true)
	must(t, server.links.Down("left"))
	expect("after Down of the server's end", false)
	must(t, server.links.Up("left"))
	expect("after Up of the server's end", true)
}

// A host refuses its own connections with EINVAL if the route is a blackhole (fib_props in
// net/ipv4/fib_semantics.c, ip6_blackhole_route), and with ENETUNREACH if there is none.
func TestABlackholeIsTakenOnlyWithoutABetterRoute(t *testing.T) {
	client, _ := pair(t)
	for _, to := range []string{"192.0.2.0/24", "2001:db8::/64", "198.51.100.0/24", "2001:db8:1::/64"} {
		for range 2 { // a second time is no error
			must(t, client.links.Blackhole(netip.MustParsePrefix(to)))
		}
	}
	expectReach(t, client, "with a better route", unix.ECONNREFUSED, "192.0.2.2", "2001:db8::2")
	expectReach(t, client, "with nothing but a blackhole", unix.EINVAL, "198.51.100.2", "2001:db8:1::2")
	client.route(t, behind)
	expectReach(t, client, "with a route again", unix.ECONNREFUSED, "198.51.100.2", "2001:db8:1::2")
	must(t, client.links.Down("right"))
	expectReach(t, client, "with the better route's link down", unix.EINVAL, "192.0.2.2", "2001:db8::2")
}

// The server forwards. The test looks at a capture, because the kernel ignores an ICMP
// error that arrives while connect(2) still runs.
func TestABlackholeOnARouterIsSilent(t *testing.T) {
	client, server := pair(t)
	client.route(t, behind)
	server.switchOn(t, "ipv4/ip_forward")
	server.switchOn(t, "ipv6/conf/all/forwarding")
	packets, err := capture.Start(client.ns, "client")
	must(t, err)
	defer packets.Close()
	unreachable := capture.ICMP("Unreachable")
	expectReach(t, client, "without a route on the router", unix.ENETUNREACH, "198.51.100.3", "2001:db8:1::3")
	before := packets.Find(unreachable)
	if len(before) < 2 {
		t.Errorf("without a route on the router the client got the ICMP errors %v, expected one in each family", before)
	}
	for to := range behind {
		must(t, server.links.Blackhole(netip.MustParsePrefix(to)))
	}
	for _, to := range []string{"198.51.100.3", "2001:db8:1::3"} {
		if err := client.connect(to, 100*time.Millisecond); err != context.DeadlineExceeded {
			t.Errorf("with a blackhole on the router, connecting to %s: %v, expected no answer in 100 ms", to, err)
		}
	}
	if got := packets.Find(unreachable); len(got) != len(before) {
		t.Errorf("with a blackhole on the router there are the ICMP errors %v, expected no more than %v", got, before)
	}
}

func TestNobodyAsksForNeighboursUntilTheyAreForgotten(t *testing.T) {
	client, _ := pair(t)
	packets, err := capture.Start(client.ns, "client")
	must(t, err)
	defer packets.Close()
	expect := func(when string, want bool) {
		t.Helper()
		expectReach(t, client, when, unix.ECONNREFUSED, "192.0.2.2", "2001:db8::2")
		arp, solicitation := false, false
		for _, p := range packets.Find(capture.Outgoing) {
			arp = arp || strings.Contains(p.String(), "192.0.2.1 asks by ARP who has 192.0.2.2")
			// The kernel also solicits its own new link-local address.
			solicitation = solicitation || p.ICMP == "NeighborSolicitation" && p.Src.Addr() == netip.MustParseAddr("2001:db8::1")
		}
		if arp != want || solicitation != want {
			t.Errorf("%s the client has asked by ARP: %v, by neighbour solicitation: %v, expected %v", when, arp, solicitation, want)
		}
	}
	expect("with neighbours told,", false)
	must(t, client.links.Down("right"))
	must(t, client.links.Up("right"))
	expect("after Down and Up", false)
	must(t, client.links.ForgetNeighbours("right"))
	expect("with neighbours forgotten,", true)
}

func TestErrorsNameTheHostAndTheLink(t *testing.T) {
	client, server := pair(t)
	_, err := client.links.Carrier("wrong")
	for what, err := range map[string]error{
		"Address":          client.links.Address("wrong", netip.MustParsePrefix("192.0.2.7/24")),
		"Up":               client.links.Up("wrong"),
		"Down":             client.links.Down("wrong"),
		"ForgetNeighbours": client.links.ForgetNeighbours("wrong"),
		"Carrier":          err,
	} {
		if err == nil || !strings.Contains(err.Error(), "wrong") || !strings.Contains(err.Error(), "client") {
			t.Errorf("%s of a link that is not there: %v, expected an error that names wrong and client", what, err)
		}
	}
	for _, c := range []struct {
		err   error
		words string
	}{
		{link.Join(link.End{Links: client.links, Name: "right"}, link.End{Links: server.links, Name: "new"}), "joining client right and server new by a veth pair: file exists"},
		{client.links.Address("right", netip.MustParsePrefix("192.0.2.1/24")), "giving client right the address 192.0.2.1/24: file exists"},
		{client.links.Route(netip.MustParsePrefix("198.51.100.0/24"), netip.MustParseAddr("203.0.113.9")), "routing 198.51.100.0/24 via 203.0.113.9 on client: network is unreachable"},
	} {
		if c.err == nil || c.err.Error() != c.words {
			t.Errorf("the error is %v, expected %q", c.err, c.words)
		}
	}
	// Up must not try a refused route again.
	if err := client.links.Up("right"); err != nil {
		t.Errorf("Up after a route was refused: %v", err)
	}
}
