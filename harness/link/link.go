// Package link makes the cables between the hosts of a lab: veth pairs, their addresses,
// routes and impairments, and it takes links down and up again.
//
// It uses one rtnetlink socket for each namespace. Packet filters are in package
// firewall, and the sysctls of hosts in package harness.
package link

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/netns"
)

// Links is the links of one host. The zero value is not usable; make one with Open.
// It is not safe for concurrent use.
type Links struct {
	ns         *netns.Namespace
	handle     *netlink.Handle
	known      map[string]netlink.Link
	delays     map[string]time.Duration // of the cables that have one, at this end
	impaired   map[string]bool
	routes     []netlink.Route // Up restores them in this order, in which they were added
	neighbours []netlink.Neigh // Up restores these too: those of Neighbour
}

// Open opens the links of a namespace and brings its loopback interface up. Its socket
// keeps the namespace until Close.
func Open(ns *netns.Namespace) (*Links, error) {
	var handle *netlink.Handle
	// netlink.NewHandleAt would leave the thread in the namespace if the user may not
	// return to the first one.
	err := ns.Do(func() (err error) { handle, err = netlink.NewHandle(unix.NETLINK_ROUTE); return err })
	if err != nil {
		return nil, fmt.Errorf("opening the links of %s: %w", ns.Name(), err)
	}
	l := &Links{ns: ns, handle: handle, known: map[string]netlink.Link{}, delays: map[string]time.Duration{}, impaired: map[string]bool{}}
	if err := l.Up("lo"); err != nil {
		handle.Close()
		return nil, err
	}
	return l, nil
}

// Close closes the socket. The kernel removes the links with their namespace: deleting
// them one by one would take an RCU grace period each, some 50 ms.
func (l *Links) Close() { l.handle.Close() }

// End is one end of a cable.
type End struct {
	Links *Links
	Name  string // of the link: at most 15 bytes
	MAC   net.HardwareAddr
	// Delay is the time that a packet takes from this end to the other: it waits in this
	// end's queue. Zero: no time. A delay needs a kernel with netem.
	Delay time.Duration
}

// firstIndex is the interface index of a host's first near end of a cable. The kernel
// numbers the far ends, from 2.
//
// The two ends of a veth pair must have different indexes. Otherwise the kernel takes an
// end for a link with nothing beneath it, and lets the event that it has a carrier wait
// for up to a second (net/core/link_watch.c, linkwatch_urgent_event and
// linkwatch_nextevent).
const firstIndex = 100

// Join joins two hosts by a cable: a veth pair, both ends up.
//
// Down of either end pulls the cable out. The packets on it are lost: the kernel empties
// the queue of a link without a carrier.
func Join(a, b End) error {
	veth := &netlink.Veth{
		LinkAttrs:        netlink.LinkAttrs{Index: firstIndex + len(a.Links.known), Name: a.Name, MTU: 1500, HardwareAddr: a.MAC},
		PeerName:         b.Name,
		PeerNamespace:    netlink.NsFd(b.Links.ns.FD()),
		PeerHardwareAddr: b.MAC,
	}
	if err := a.Links.handle.LinkAdd(veth); err != nil {
		return fmt.Errorf("joining %s %s and %s %s by a veth pair: %w", a.Links.ns.Name(), a.Name, b.Links.ns.Name(), b.Name, err)
	}
	for _, end := range []End{a, b} {
		if end.Delay == 0 {
			continue
		}
		// Set the delay before Up: the kernel waits for an RCU grace period when it
		// changes the queue of a link that is up (net/sched/sch_api.c, qdisc_graft).
		end.Links.delays[end.Name] = end.Delay
		if err := end.Links.Impair(end.Name, Impairment{}); err != nil {
			return err
		}
	}
	return errors.Join(a.Links.Up(a.Name), b.Links.Up(b.Name))
}

// Address gives a link an address. The host uses it at once, or as soon as Up brings the
// link up.
//
// The kernel completes each IPv6 address in one work queue, even without duplicate address
// detection (net/ipv6/addrconf.c, addrconf_dad_work), and is many seconds late when many
// labs are built at once. Address therefore adds itself what the kernel would add last:
// the route that delivers packets for the address to this host. The sysctl
// keep_addr_on_down (ip-sysctl.rst) must be set, or the kernel drops IPv6 addresses when
// their link goes down.
func (l *Links) Address(name string, prefix netip.Prefix) error {
	link, err := l.find(name)
	if err != nil {
		return err
	}
	address := &netlink.Addr{IPNet: ipNet(prefix)}
	if prefix.Addr().Is6() {
		address.Flags = unix.IFA_F_NODAD
	}
	err = l.handle.AddrAdd(link, address)
	if err == nil && prefix.Addr().Is6() {
		own := netlink.Route{
			LinkIndex: link.Attrs().Index, Dst: ipNet(single(prefix.Addr())), Type: unix.RTN_LOCAL, Table: unix.RT_TABLE_LOCAL, Protocol: unix.RTPROT_KERNEL,
		}
		if err = l.restore(own); err == nil {
			l.routes = append(l.routes, own)
		}
	}
	if err != nil {
		return fmt.Errorf("giving %s %s the address %v: %w", l.ns.Name(), name, prefix, err)
	}
	return nil
}

// Neighbour gives a link a permanent neighbour: the host knows its MAC address, and sends
// no ARP request and no neighbour solicitation whose answer could be late. Up restores the
// neighbour after the link was down.
func (l *Links) Neighbour(name string, address netip.Addr, mac net.HardwareAddr) error {
	link, err := l.find(name)
	if err != nil {
		return err
	}
	neighbour := netlink.Neigh{LinkIndex: link.Attrs().Index, State: netlink.NUD_PERMANENT, IP: address.AsSlice(), HardwareAddr: mac}
	if err := l.handle.NeighSet(&neighbour); err != nil {
		return fmt.Errorf("telling %s that %v is %v on %s: %w", l.ns.Name(), address, mac, name, err)
	}
	l.neighbours = append(l.neighbours, neighbour)
	return nil
}

// Route routes a prefix via a gateway. A prefix of length 0 is the default route. Up
// restores the route after the link that it uses was down.
func (l *Links) Route(to netip.Prefix, via netip.Addr) error {
	route := netlink.Route{Dst: ipNet(to), Gw: via.AsSlice()}
	var err error = unix.EINVAL // the kernel would take an invalid prefix for the default route
	if to.IsValid() {
		err = l.handle.RouteAdd(&route)
	}
	if err != nil {
		return fmt.Errorf("routing %v via %v on %s: %w", to, via, l.ns.Name(), err)
	}
	l.routes = append(l.routes, route)
	return nil
}

// Blackhole discards packets for a prefix without an ICMP error, unless there is a better
// route.
func (l *Links) Blackhole(to netip.Prefix) error {
	route := netlink.Route{Dst: ipNet(to), Type: unix.RTN_BLACKHOLE, Priority: 4096}
	if err := l.handle.RouteReplace(&route); err != nil {
		return fmt.Errorf("discarding packets for %v on %s: %w", to, l.ns.Name(), err)
	}
	return nil
}

// Deliver lets packets for an address that come in over a link be delivered on this host,
// without making it an address of the link. Up restores that after the link was down. The
// kernel asks for such a route where a packet filter translates an address to ::1
// (net/ipv6/route.c, rt6_need_strict).
func (l *Links) Deliver(name string, address netip.Addr) error {
	link, err := l.find(name)
	if err != nil {
		return err
	}
	route := netlink.Route{Dst: ipNet(single(address)), Type: unix.RTN_LOCAL, Table: unix.RT_TABLE_LOCAL, LinkIndex: link.Attrs().Index}
	if err := l.handle.RouteAdd(&route); err != nil {
		return fmt.Errorf("delivering packets for %v that come from %s on %s: %w", address, name, l.ns.Name(), err)
	}
	l.routes = append(l.routes, route)
	return nil
}

// Up brings a link up, and restores what the kernel removed when it went down: the routes
// of Address, Route and NarrowRoute, and the neighbours.
func (l *Links) Up(name string) error {
	link, err := l.find(name)
	if err != nil {
		return err
	}
	if err := l.handle.LinkSetUp(link); err != nil {
		return fmt.Errorf("bringing %s %s up: %w", l.ns.Name(), name, err)
	}
	for _, neighbour := range l.neighbours {
		if neighbour.LinkIndex != link.Attrs().Index {
			continue
		}
		if err := l.handle.NeighSet(&neighbour); err != nil {
			return fmt.Errorf("restoring the neighbour %v on %s %s: %w", neighbour.IP, l.ns.Name(), name, err)
		}
	}
	for _, route := range l.routes {
		if err := l.restore(route); err != nil {
			return fmt.Errorf("restoring the route to %v on %s: %w", route.Dst, l.ns.Name(), err)
		}
	}
	return nil
}

// restore adds a route again. The kernel refuses a route over a link that is down
// (ENETDOWN, ENETUNREACH, EHOSTUNREACH): Up of that link restores it.
func (l *Links) restore(route netlink.Route) error {
	err := l.handle.RouteReplace(&route)
	if slices.Contains([]error{unix.ENETUNREACH, unix.EHOSTUNREACH, unix.ENETDOWN}, err) {
		return nil
	}
	return err
}

// Down takes a link down. The other end of its cable loses its carrier.
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

// AwaitUp waits until a link sends packets; both ends of its cable must be up. The kernel
// activates a link with a carrier in a work queue (net/core/link_watch.c), late on a busy
// machine, and silently drops what is sent before.
func (l *Links) AwaitUp(name string) error {
	return l.await(name, "up", func(state netlink.LinkOperState) bool { return state == netlink.OperUp })
}

// AwaitNoCarrier waits until the host has noticed that the other end of a link is down.
// It has then forgotten the neighbours there, except those of Neighbour.
func (l *Links) AwaitNoCarrier(name string) error {
	return l.await(name, "without a carrier", func(state netlink.LinkOperState) bool { return state != netlink.OperUp })
}

func (l *Links) await(name, what string, is func(netlink.LinkOperState) bool) error {
	for deadline := time.Now().Add(activation); ; time.Sleep(100 * time.Microsecond) {
		link, err := l.query(name)
		if err != nil {
			return err
		}
		if is(link.Attrs().OperState) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s %s is not %s after %v, but %v", l.ns.Name(), name, what, activation, link.Attrs().OperState)
		}
	}
}

// activation is the longest that the kernel may take to notice a carrier, or its loss, on a
// busy machine.
const activation = 10 * time.Second

// NarrowRoute routes a neighbour's address over a link with an MTU in bytes: the host
// answers larger packets with an ICMP error. Up restores the route after the link was
// down. An MTU of 0 removes the route.
func (l *Links) NarrowRoute(name string, to netip.Addr, mtu int) error {
	link, err := l.find(name)
	if err != nil {
		return err
	}
	route := netlink.Route{LinkIndex: link.Attrs().Index, Dst: ipNet(single(to)), MTU: mtu, Scope: netlink.SCOPE_LINK}
	same := func(r netlink.Route) bool {
		return r.LinkIndex == route.LinkIndex && r.Scope == route.Scope && r.Dst.IP.Equal(route.Dst.IP)
	}
	switch {
	case mtu < 0:
		err = unix.EINVAL // the kernel would take it for a large one
	case mtu == 0:
		err = l.handle.RouteDel(&route)
		if errors.Is(err, unix.ESRCH) && slices.ContainsFunc(l.routes, same) {
			err = nil // the kernel removed it when its link went down
		}
	default:
		err = l.handle.RouteReplace(&route)
	}
	if err != nil {
		return fmt.Errorf("routing packets of %d bytes to %v over %s %s: %w", mtu, to, l.ns.Name(), name, err)
	}
	l.routes = slices.DeleteFunc(l.routes, same)
	if mtu > 0 {
		l.routes = append(l.routes, route)
	}
	return nil
}

// Carrier reports whether a link has a carrier: both ends of its cable are up.
func (l *Links) Carrier(name string) (bool, error) {
	link, err := l.query(name)
	if err != nil {
		return false, err
	}
	return link.Attrs().RawFlags&unix.IFF_LOWER_UP != 0, nil
}

// find returns a link with the attributes that it had when it was first found. Its name
// and its index do not change.
func (l *Links) find(name string) (netlink.Link, error) {
	if link, ok := l.known[name]; ok {
		return link, nil
	}
	link, err := l.query(name)
	if err == nil {
		l.known[name] = link
	}
	return link, err
}

// query returns a link with its present attributes.
func (l *Links) query(name string) (netlink.Link, error) {
	link, err := l.handle.LinkByName(name)
	if err != nil {
		return nil, fmt.Errorf("finding the link %s of %s: %w", name, l.ns.Name(), err)
	}
	return link, nil
}

// single returns the prefix that contains one address alone.
func single(a netip.Addr) netip.Prefix { return netip.PrefixFrom(a, a.BitLen()) }

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}

// ForgetNeighbours removes the host's neighbours on a link, also those of Neighbour.
// Before its next packet, the host sends an ARP request or a neighbour solicitation.
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
		if neighbour.State&netlink.NUD_NOARP != 0 { // multicast
			continue
		}
		if err := l.handle.NeighDel(&neighbour); err != nil && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("forgetting the neighbour %v on %s %s: %w", neighbour.IP, l.ns.Name(), name, err)
		}
	}
	return nil
}
