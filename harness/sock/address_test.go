package sock_test

import (
	"net/netip"
	"testing"
)

// A socket for both families has IPv4 addresses mapped to IPv6 (ipv6(7)).
func TestAnIPv4ConnectionHasIPv4AddressesOnASocketForBothFamilies(t *testing.T) {
	m := newMachine(t)
	l := m.listen(t, netip.MustParseAddrPort("[::]:0"), 5)
	client := m.dial(t, netip.AddrPortFrom(loopback4.Addr(), l.Local().Port()))
	server, err := l.AwaitAccept(promptly(t))
	must(t, err)
	t.Cleanup(func() { _ = server.Close() })
	if server.Local() != client.Remote() || server.Remote() != client.Local() {
		t.Errorf("the ends are %v and %v, expected each other's reverse", client, server)
	}
	mapped := func(a netip.AddrPort) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr().As16()), a.Port())
	}
	for _, of := range [][2]netip.AddrPort{{server.Local(), server.Remote()}, {mapped(server.Local()), mapped(server.Remote())}} {
		e, ok, err := m.diag.Find(of[0], of[1])
		if !ok || err != nil || e.Local != client.Remote() || e.Remote != client.Local() {
			t.Errorf("looking for %v > %v, the socket table has %v (found: %v), %v, expected %v > %v", of[0], of[1], e, ok, err, client.Remote(), client.Local())
		}
	}
}
