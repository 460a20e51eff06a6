package harness

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Role says what a host does with packets.
type Role int

// The roles. The zero value is that of the two peers.
const (
	Peer     Role = iota // a client or a server: connections end here
	Router               // forwards, and has a packet filter
	Firewall             // a router with connection tracking: it can forget, reset and drop flows
	NAT                  // a firewall that hides the client's address from the server
	Proxy                // toxiproxy: connections end here, and others begin
)

// String names the role: "router", "NAT".
func (r Role) String() string {
	names := [...]string{"peer", "router", "firewall", "NAT", "proxy"}
	if r < 0 || int(r) >= len(names) {
		return fmt.Sprintf("role %d", int(r))
	}
	return names[r]
}

// routes reports whether a host of the role forwards packets.
func (r Role) routes() bool { return r == Router || r == Firewall || r == NAT }

// tracks reports whether a host of the role has connection tracking.
func (r Role) tracks() bool { return r == Firewall || r == NAT }

// Node is a host between the client and the server, as a topology describes it.
type Node struct {
	Name string // at most 12 bytes: the names of links are made of it (IFNAMSIZ)
	Role Role   // not Peer
}

// The names of the two hosts that every topology has.
const (
	clientName = "client"
	serverName = "server"
)

// Topology is what lies between the client and the server: one or more paths, which share
// nothing but the two. A path is the hosts that it passes, from the client to the server.
// The zero value joins the two by a cable. Every host has an IPv4 and an IPv6 address.
//
// A topology of one's own is a value like those below:
//
//	harness.Topology{{{Name: "nat", Role: harness.NAT}, {Name: "isp", Role: harness.Router}}}
type Topology [][]Node

// Topologies that specs use most.
var (
	Direct                = Topology{}                                                     // client — server
	Routed                = Topology{{{"router-west", Router}, {"router-east", Router}}}   // client — router — router — server
	Firewalled            = Topology{{{"firewall", Firewall}}}                             // client — firewall — server
	NATed                 = Topology{{{"firewall", NAT}}}                                  // client — NAT — server
	Proxied               = Topology{{{"proxy", Proxy}}}                                   // client — toxiproxy — server
	ProxiedBehindFirewall = Topology{{{"firewall", Firewall}, {"proxy", Proxy}}}           // client — firewall — toxiproxy — server
	Multihomed            = Topology{{{"firewall", Firewall}}, {{"firewall-2", Firewall}}} // client — firewall — server, and client — firewall-2 — server beside it
)

// paths are the paths of the topology, of which there is at least one.
func (t Topology) paths() [][]Node {
	if len(t) == 0 {
		return [][]Node{{}}
	}
	return t
}

// nodes are the hosts of the topology: the client, those between, the server.
func (t Topology) nodes() []Node {
	nodes := []Node{{clientName, Peer}}
	return append(append(nodes, slices.Concat(t...)...), Node{serverName, Peer})
}

// longestName is how long a node's name may be: a link to it has three bytes more, and
// IFNAMSIZ is 16 with the terminating zero (linux/if.h).
const longestNodeName = 15 - len(linkPrefix)

// validate reports, in one line, why a lab of the topology cannot be built.
func (t Topology) validate() error {
	cables := 0
	for _, path := range t.paths() {
		cables += len(path) + 1
	}
	if cables > len(segments) {
		return fmt.Errorf("the topology %v has %d cables, and there are addresses for %d (RFC 5737)", t, cables, len(segments))
	}
	proxies := 0
	known := map[string]bool{clientName: true, serverName: true}
	for _, node := range slices.Concat(t...) {
		switch {
		case node.Name == "" || strings.ContainsAny(node.Name, "/ \t\n"):
			return fmt.Errorf("a host of the topology is named %q: choose a name without spaces and slashes", node.Name)
		case len(node.Name) > longestNodeName:
			return fmt.Errorf("the host %s of the topology has a name of %d bytes: the longest has %d", node.Name, len(node.Name), longestNodeName)
		case known[node.Name]:
			return fmt.Errorf("two hosts of the topology are named %s", node.Name)
		case node.Role <= Peer || node.Role > Proxy:
			return fmt.Errorf("the host %s of the topology is a %v: between the peers are routers, firewalls, NATs and a proxy", node.Name, node.Role)
		case node.Role == Proxy:
			proxies++
		}
		known[node.Name] = true
	}
	if proxies > 1 {
		return errors.New("the topology has two proxies: one is supported")
	}
	return nil
}

// String is the topology as a picture: "client — firewall — server".
func (t Topology) String() string {
	var pictures []string
	for _, path := range t.paths() {
		names := []string{clientName}
		for _, node := range path {
			if node.Role == NAT && node.Name == Firewalled[0][0].Name {
				names = append(names, NAT.String())
				continue
			}
			names = append(names, node.Name)
		}
		pictures = append(pictures, strings.Join(append(names, serverName), " — "))
	}
	return strings.Join(pictures, ", ")
}
