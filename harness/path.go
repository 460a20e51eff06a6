package harness

import (
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/halfopen-lab/halfopen/harness/link"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

// Path is one way from the client to the server.
type Path struct {
	Hosts []*Host // from the client to the server, both included

	first    int       // the number of its first segment among those of the lab
	segments []segment // the networks between its hosts
}

// join joins the hosts of every path by cables. Each cable is a network of its own.
func (l *Lab) join() error {
	first := 0
	for _, nodes := range l.config.Topology.paths() {
		p := Path{Hosts: []*Host{l.Client}, first: first, segments: segments[first : first+len(nodes)+1]}
		for _, node := range nodes {
			p.Hosts = append(p.Hosts, l.lookup(node.Name))
		}
		p.Hosts = append(p.Hosts, l.Server)
		first += len(p.segments)
		l.paths = append(l.paths, p)
		if err := p.join(l.delay); err != nil {
			return err
		}
		if err := p.route(); err != nil {
			return err
		}
	}
	return nil
}

// join joins neighbours by cables with a delay, assigns the links their addresses, and gives each
// host a permanent neighbour entry, so that no ARP or neighbour discovery is needed.
func (p Path) join(delay time.Duration) error {
	for i, s := range p.segments {
		near, far := p.Hosts[i], p.Hosts[i+1]
		near.neighbour[far], far.neighbour[near] = linkName(far), linkName(near)
		nearMAC, farMAC := mac(p.first+i, nearEnd), mac(p.first+i, farEnd)
		if err := link.Join(
			link.End{Links: near.links, Name: linkName(far), MAC: nearMAC, Delay: delay},
			link.End{Links: far.links, Name: linkName(near), MAC: farMAC, Delay: delay},
		); err != nil {
			return err
		}
		for _, prefix := range s.prefixes() {
			nearAddress, farAddress := hostAddress(prefix, nearEnd), hostAddress(prefix, farEnd)
			if err := errors.Join(
				near.links.Address(linkName(far), nearAddress),
				far.links.Address(linkName(near), farAddress),
				near.links.Neighbour(linkName(far), farAddress.Addr(), farMAC),
				far.links.Neighbour(linkName(near), nearAddress.Addr(), nearMAC),
			); err != nil {
				return err
			}
		}
		for _, family := range []sock.Family{sock.IPv4, sock.IPv6} {
			far.addresses[family] = append(far.addresses[family], hostAddress(s.prefix(family), farEnd).Addr())
			if i == 0 {
				near.addresses[family] = append(near.addresses[family], hostAddress(s.prefix(family), nearEnd).Addr())
			}
		}
	}
	for i := range p.segments {
		near, far := p.Hosts[i], p.Hosts[i+1]
		if err := errors.Join(
			near.links.AwaitUp(linkName(far)), far.links.AwaitUp(linkName(near)),
		); err != nil {
			return err
		}
	}
	return nil
}

// route gives every host routes to the segments that it has no address on.
func (p Path) route() error {
	for at, host := range p.Hosts {
		for to := range p.segments {
			if to == at || to == at-1 || !p.reaches(at, to) {
				continue
			}
			via, end := at, byte(farEnd) // through the neighbour towards the server
			if to < at {
				via, end = at-1, nearEnd
			}
			for _, family := range []sock.Family{sock.IPv4, sock.IPv6} {
				gateway := hostAddress(p.segments[via].prefix(family), end).Addr()
				if err := host.links.Route(p.segments[to].prefix(family), gateway); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// reaches reports whether host number at of the path has a route to segment number to. There are no
// routes across a proxy, and none from the server's side of a NAT to the client's.
func (p Path) reaches(at, to int) bool {
	if to < at-1 { // towards the client, across the hosts to+1 … at-1
		return !slices.ContainsFunc(p.Hosts[to+1:at], func(h *Host) bool {
			return h.role == Proxy || h.role == NAT
		})
	}
	return !slices.ContainsFunc(p.Hosts[at+1:to+1], func(h *Host) bool { return h.role == Proxy })
}

// addressesOf returns the addresses of a host on all of its links.
func (l *Lab) addressesOf(h *Host) (all []netip.Addr) {
	for _, p := range l.paths {
		for i, s := range p.segments {
			for _, prefix := range s.prefixes() {
				if p.Hosts[i] == h {
					all = append(all, hostAddress(prefix, nearEnd).Addr())
				}
				if p.Hosts[i+1] == h {
					all = append(all, hostAddress(prefix, farEnd).Addr())
				}
			}
		}
	}
	return all
}

// linkPrefix begins the name of every link of a host; the neighbour's name follows.
const linkPrefix = "to-"

func linkName(to *Host) string { return linkPrefix + to.name }
