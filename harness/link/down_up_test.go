package link_test

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"testing"

	"github.com/vishvananda/netlink"
	vnetns "github.com/vishvananda/netns"
	"golang.org/x/sys/unix"
)

// The addresses of another link keep the kernel's work queue for addresses busy.
func TestIPv6AddressesAreInUseAtOnceAfterUp(t *testing.T) {
	client, server := pair(t)
	kernel, err := netlink.NewHandleAt(vnetns.NsHandle(client.ns.FD()), unix.NETLINK_ROUTE)
	must(t, err)
	defer kernel.Close()
	join(t, client, "busy", server, "busy", nil, nil)
	busy, err := kernel.LinkByName("busy")
	must(t, err)
	for i := range 1000 {
		address, err := netlink.ParseAddr(fmt.Sprintf("2001:db8:b::%x/128", i+1))
		must(t, err)
		address.Flags = unix.IFA_F_NODAD
		must(t, kernel.AddrAdd(busy, address))
	}
	delivers := func(address string) bool {
		routes, err := kernel.RouteGet(net.ParseIP(address))
		return err == nil && len(routes) == 1 && routes[0].Type == unix.RTN_LOCAL
	}
	for range 5 {
		must(t, errors.Join(kernel.LinkSetDown(busy), client.links.Down("right")))
		if delivers("2001:db8::1") {
			t.Fatal("with its link down the client takes packets for 2001:db8::1 as its own")
		}
		must(t, errors.Join(kernel.LinkSetUp(busy), client.links.Up("right")))
		if !delivers("2001:db8::1") {
			t.Fatal("after Up the client does not take packets for 2001:db8::1 as its own")
		}
	}
}

func TestANarrowRouteComesBackWithItsLinkUnlessItIsRemoved(t *testing.T) {
	client, _ := pair(t)
	kernel, err := netlink.NewHandleAt(vnetns.NsHandle(client.ns.FD()), unix.NETLINK_ROUTE)
	must(t, err)
	defer kernel.Close()
	expect := func(when string, mtu int) {
		t.Helper()
		for _, to := range []string{"192.0.2.2", "2001:db8::2"} {
			if routes, err := kernel.RouteGet(net.ParseIP(to)); err != nil || len(routes) != 1 || routes[0].MTU != mtu {
				t.Errorf("%s, the route to %s is %v, %v, expected one of %d bytes", when, to, routes, err, mtu)
			}
		}
	}
	narrow := func(mtu int) {
		t.Helper()
		for _, to := range []string{"192.0.2.2", "2001:db8::2"} {
			must(t, client.links.NarrowRoute("right", netip.MustParseAddr(to), mtu))
		}
	}
	narrow(1400)
	narrow(1300)
	expect("narrowed twice", 1300)
	must(t, errors.Join(client.links.Down("right"), client.links.Up("right")))
	expect("after Down and Up", 1300)
	must(t, client.links.Down("right"))
	narrow(0)
	must(t, client.links.Up("right"))
	expect("removed while the link was down", 0)
	if err := client.links.NarrowRoute("right", netip.MustParseAddr("192.0.2.2"), 0); !errors.Is(err, unix.ESRCH) {
		t.Errorf("removing a narrow route that there is not: %v, expected ESRCH", err)
	}
}

func TestALinkThatIsDownIsGivenAnAddressForLater(t *testing.T) {
	client, _ := pair(t)
	must(t, client.links.Down("right"))
	must(t, client.links.Address("right", netip.MustParsePrefix("203.0.113.1/24")))
	must(t, client.links.Address("right", netip.MustParsePrefix("2001:db8:2::1/64")))
	must(t, client.links.Up("right"))
	expectReach(t, client, "up again", unix.ECONNREFUSED, "203.0.113.1", "2001:db8:2::1")
}

// The kernel takes nothing for the default route, and -1 bytes for many.
func TestWhatIsNoRouteIsRefused(t *testing.T) {
	client, _ := pair(t)
	for _, c := range []struct {
		err   error
		words string
	}{
		{client.links.Route(netip.Prefix{}, netip.MustParseAddr("192.0.2.2")), "routing invalid Prefix via 192.0.2.2 on client: invalid argument"},
		{client.links.NarrowRoute("right", netip.MustParseAddr("192.0.2.2"), -1), "routing packets of -1 bytes to 192.0.2.2 over client right: invalid argument"},
	} {
		if c.err == nil || c.err.Error() != c.words {
			t.Errorf("the error is %v, expected %q", c.err, c.words)
		}
	}
	expectReach(t, client, "after the refusals", unix.ENETUNREACH, "198.51.100.2")
}
