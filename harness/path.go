package harness

import (
	"errors"
	"slices"
	"time"

	"github.com/halfopen-lab/halfopen/harness/link"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

// Path is one way from the client to the server.
type Path struct {
	Hosts []*Host // from the client to the server

	first    int       // the number of its first segment
	segments []segment // the networks between its hosts
}

// cable joins the hosts of every path, which has networks of its own.
func (l *Lab) cable() error {
	first := 0
	for _, names := range paths[l.Topology] {
		p := Path{first: first, segments: segments[first : first+len(names)-1]}
		for _, name := range names {
			p.Hosts = append(p.Hosts, l.Host(name))
		}
		first += len(p.segments)
		l.Paths = append(l.Paths, p)
		if err := p.join(l.delay); err != nil {
			return err
		}
		if err := p.route(l.Topology); err != nil {
			return err
		}
	}
	return nil
}

// join joins neighbours by cables with a delay, gives the links their addresses, and
// tells each neighbour of the other.
func (p Path) join(delay time.Duration) error {
	for i, s := range p.segments {
		near, far := p.Hosts[i], p.Hosts[i+1]
		near.towards[far.Name], far.towards[near.Name] = linkName(far), linkName(near)
		nearMAC, farMAC := mac(p.first+i, nearEnd), mac(p.first+i, farEnd)
		if err := link.Join(
			link.End{Links: near.Links, Name: linkName(far), MAC: nearMAC, Delay: delay},
			link.End{Links: far.Links, Name: linkName(near), MAC: farMAC, Delay: delay},
		); err != nil {
			return err
		}
		for _, prefix := range s.prefixes() {
			nearAddress, farAddress := number(prefix, nearEnd), number(prefix, farEnd)
			if err := errors.Join(
				near.Links.Address(linkName(far), nearAddress),
				far.Links.Address(linkName(near), farAddress),
				near.Links.Neighbour(linkName(far), farAddress.Addr(), farMAC),
				far.Links.Neighbour(linkName(near), nearAddress.Addr(), nearMAC),
			); err != nil {
				return err
			}
		}
		for _, family := range []sock.Family{sock.IPv4, sock.IPv6} {
			far.addresses[family] = append(far.addresses[family], number(s.of(family), farEnd).Addr())
			if i == 0 {
				near.addresses[family] = append(near.addresses[family], number(s.of(family), nearEnd).Addr())
			}
		}
	}
	for i := range p.segments {
		near, far := p.Hosts[i], p.Hosts[i+1]
		if err := errors.Join(
			near.Links.AwaitUp(linkName(far)), far.Links.AwaitUp(linkName(near)),
		); err != nil {
			return err
		}
	}
	return nil
}

// route gives every host routes to the segments that it does not touch.
func (p Path) route(t Topology) error {
	for at, host := range p.Hosts {
		for to := range p.segments {
			if to == at || to == at-1 || !p.reaches(t, at, to) {
				continue
			}
			via, end := at, byte(farEnd) // through the neighbour towards the server
			if to < at {
				via, end = at-1, nearEnd
			}
			for _, family := range []sock.Family{sock.IPv4, sock.IPv6} {
				gateway := number(p.segments[via].of(family), end).Addr()
				if err := host.Links.Route(p.segments[to].of(family), gateway); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// reaches says whether host number at of the path has a route to its segment number to:
// nothing is routed across a proxy, and nothing beyond a NAT is routed back.
func (p Path) reaches(t Topology, at, to int) bool {
	if to < at-1 { // towards the client, across the hosts to+1 … at-1
		return !slices.ContainsFunc(p.Hosts[to+1:at], func(h *Host) bool {
			return h.Name == "proxy" || (h.Name == "firewall" && t == NATed)
		})
	}
	return !slices.ContainsFunc(p.Hosts[at+1:to+1], func(h *Host) bool { return h.Name == "proxy" })
}

func linkName(to *Host) string { return "to-" + to.Name }
