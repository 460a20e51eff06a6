// Package link is the cables between the hosts of a lab: veth pairs, addresses,
// routes, link up and link down.
//
// It speaks rtnetlink through one socket for each namespace. Packet filters live
// in harness/firewall, timer sysctls in package harness.
package link

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/vishvananda/netlink"
	vnetns "github.com/vishvananda/netns"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/netns"
)

// Links is the links of one host. The zero value is not usable; make one with Open.
type Links struct {
	ns     *netns.Namespace
	handle *netlink.Handle
	routes []netlink.Route // the static ones, in the order in which they were added
}

// Open opens the links of a namespace and brings its loopback up. The socket it
// holds pins the namespace until Close.
func Open(ns *netns.Namespace) (*Links, error) {
	handle, err := netlink.NewHandleAt(vnetns.NsHandle(ns.FD()), unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("opening the links of %s: %w", ns.Name(), err)
	}
	l := &Links{ns: ns, handle: handle}
	if err := l.Up("lo"); err != nil {
		handle.Close()
		return nil, err
	}
	return l, nil
}

// Close lets go of the namespace. The links go with it: deleting them one by one
// takes a grace period each (some 50 ms).
func (l *Links) Close() { l.handle.Close() }

// Join puts a cable between two hosts: a veth pair, both ends up.
func Join(a *Links, aName string, b *Links, bName string) error {
	veth := &netlink.Veth{
		LinkAttrs:     netlink.LinkAttrs{Name: aName, MTU: 1500},
		PeerName:      bName,
		PeerNamespace: netlink.NsFd(b.ns.FD()),
	}
	if err := a.handle.LinkAdd(veth); err != nil {
		return fmt.Errorf("joining %s %s and %s %s by a veth pair: %w", a.ns.Name(), aName, b.ns.Name(), bName, err)
	}
	return errors.Join(a.Up(aName), b.Up(bName))
}

// Address gives a link an address. AwaitAddresses says when the host answers for it.
func (l *Links) Address(name string, prefix netip.Prefix) error {
	link, err := l.find(name)
	if err != nil {
		return err
	}
	address := &netlink.Addr{IPNet: ipNet(prefix)}
	if err := l.handle.AddrAdd(link, address); err != nil {
		return fmt.Errorf("giving %s %s the address %v: %w", l.ns.Name(), name, prefix, err)
	}
	return nil
}

// AwaitAddresses waits until every address is in use. The kernel finishes an IPv6
// address in a work queue (net/ipv6/addrconf.c, addrconf_dad_begin), where
// duplicate address detection is off too, and until then answers no neighbour
// solicitation for it: whoever asks tries again a second later. An address that
// was made with IFA_F_NODAD would not show that it is unfinished.
func (l *Links) AwaitAddresses() error {
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		addresses, err := l.handle.AddrList(nil, netlink.FAMILY_V6)
		if err != nil {
			return fmt.Errorf("listing the addresses of %s: %w", l.ns.Name(), err)
		}
		tentative := slices.IndexFunc(addresses, func(a netlink.Addr) bool { return a.Flags&unix.IFA_F_TENTATIVE != 0 })
		if tentative < 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the address %v of %s is not in use after 5 s", addresses[tentative].IPNet, l.ns.Name())
		}
	}
}

// Route sends packets for a prefix to a gateway; netip.PrefixFrom of the
// unspecified address with length 0 is the default route. Up restores the route
// after the link that it uses was down.
func (l *Links) Route(to netip.Prefix, via netip.Addr) error {
	route := netlink.Route{Dst: ipNet(to), Gw: via.AsSlice()}
	if err := l.handle.RouteAdd(&route); err != nil {
		return fmt.Errorf("routing %v via %v on %s: %w", to, via, l.ns.Name(), err)
	}
	l.routes = append(l.routes, route)
	return nil
}

// Blackhole discards packets for a prefix without an ICMP error, wherever no
// better route exists.
func (l *Links) Blackhole(to netip.Prefix) error {
	route := netlink.Route{Dst: ipNet(to), Type: unix.RTN_BLACKHOLE, Priority: 4096}
	if err := l.handle.RouteReplace(&route); err != nil {
		return fmt.Errorf("discarding packets for %v on %s: %w", to, l.ns.Name(), err)
	}
	return nil
}

// Up brings a link up, and the static routes back that went with it.
func (l *Links) Up(name string) error {
	link, err := l.find(name)
	if err != nil {
		return err
	}
	if err := l.handle.LinkSetUp(link); err != nil {
		return fmt.Errorf("bringing %s %s up: %w", l.ns.Name(), name, err)
	}
	for _, route := range l.routes {
		// A route over another link that is still down cannot be restored
		// yet (ENETUNREACH, EHOSTUNREACH); bringing that link up will.
		err := l.handle.RouteReplace(&route)
		if err != nil && !slices.Contains([]error{unix.ENETUNREACH, unix.EHOSTUNREACH, unix.ENETDOWN}, err) {
			return fmt.Errorf("restoring the route to %v on %s: %w", route.Dst, l.ns.Name(), err)
		}
	}
	return nil
}

// Down takes a link down. Its other end loses carrier.
func (l *Links) Down(name string) error {
	link, err := l.find(name)
	if err != nil {
		return err
	}
	if err := l.handle.LinkSetDown(link); err != nil {
		return fmt.Errorf("taking %s %s down: %w", l.ns.Name(), name, err)
	}
	return nil
}

// SetMTU sets the size of the largest packet, in bytes, that the link sends.
func (l *Links) SetMTU(name string, mtu int) error {
	link, err := l.find(name)
	if err != nil {
		return err
	}
	if err := l.handle.LinkSetMTU(link, mtu); err != nil {
		return fmt.Errorf("setting the MTU of %s %s to %d: %w", l.ns.Name(), name, mtu, err)
	}
	return nil
}

// Carrier says whether the link has a carrier: it is up, and so is its other end.
func (l *Links) Carrier(name string) (bool, error) {
	link, err := l.find(name)
	if err != nil {
		return false, err
	}
	return link.Attrs().RawFlags&unix.IFF_LOWER_UP != 0, nil
}

// Names lists the links but loopback.
func (l *Links) Names() ([]string, error) {
	links, err := l.handle.LinkList()
	if err != nil {
		return nil, fmt.Errorf("listing the links of %s: %w", l.ns.Name(), err)
	}
	var names []string
	for _, link := range links {
		if link.Attrs().Flags&net.FlagLoopback == 0 {
			names = append(names, link.Attrs().Name)
		}
	}
	return names, nil
}

func (l *Links) find(name string) (netlink.Link, error) {
	link, err := l.handle.LinkByName(name)
	if err != nil {
		return nil, fmt.Errorf("finding the link %s of %s: %w", name, l.ns.Name(), err)
	}
	return link, nil
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// ForgetNeighbours flushes what the host knows of its neighbours on a link
// (`ip neigh flush`): the next packet asks by ARP or neighbour solicitation.
func (l *Links) ForgetNeighbours(name string) error {
	link, err := l.find(name)
	if err != nil {
		return err
	}
	neighbours, err := l.handle.NeighList(link.Attrs().Index, netlink.FAMILY_ALL)
	if err != nil {
		return fmt.Errorf("listing the neighbours on %s %s: %w", l.ns.Name(), name, err)
	}
	for _, neighbour := range neighbours {
		if neighbour.State&(netlink.NUD_NOARP|netlink.NUD_PERMANENT) != 0 {
			continue
		}
		if err := l.handle.NeighDel(&neighbour); err != nil && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("forgetting the neighbour %v on %s %s: %w", neighbour.IP, l.ns.Name(), name, err)
		}
	}
	return nil
}
