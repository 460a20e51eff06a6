package harness

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Role is what a host does with packets.
type Role int

// The roles. The zero value is Peer.
const (
	Peer     Role = iota // the client or the server: connections end here
	Router               // forwards, and has a packet filter
	Firewall             // a router with connection tracking, which can forget, reset and drop flows
	NAT                  // a firewall that translates the client's address
	Proxy                // toxiproxy: the client's connections end here, those to the server begin here
)

// String returns the role's name: "router", "NAT".
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

// Node describes a host between the client and the server.
type Node struct {
	Name string // at most 12 bytes, since links are named after it (linux/if.h, IFNAMSIZ); unique in the topology
	Role Role   // not Peer
}

// The names of the two hosts that every topology has.
const (
	clientName = "client"
	serverName = "server"
)

// Topology describes what lies between the client and the server: one or more paths, each the hosts
// that it passes, from the client to the server. Paths share only the client and the server. The
// zero value joins the two by a cable. Every host has addresses of both families.
//
// Beside those below any other topology can be built:
//
//	harness.Topology{{{Name: "nat", Role: harness.NAT}, {Name: "isp", Role: harness.Router}}}
type Topology [][]Node

// The topologies that specs use most.
var (
	Direct                = Topology{}                                                     // client — server
	Routed                = Topology{{{"router-west", Router}, {"router-east", Router}}}   // client — router — router — server
	Firewalled            = Topology{{{"firewall", Firewall}}}                             // client — firewall — server
	NATed                 = Topology{{{"firewall", NAT}}}                                  // client — NAT — server
	Proxied               = Topology{{{"proxy", Proxy}}}                                   // client — toxiproxy — server
	ProxiedBehindFirewall = Topology{{{"firewall", Firewall}, {"proxy", Proxy}}}           // client — firewall — toxiproxy — server
	Multihomed            = Topology{{{"firewall", Firewall}}, {{"firewall-2", Firewall}}} // client — firewall — server, and a second path through firewall-2
)

// paths returns the paths of the topology; one without hosts for the zero value.
func (t Topology) paths() [][]Node {
	if len(t) == 0 {
		return [][]Node{{}}
	}
	return t
}

// nodes returns the client, the hosts between, and the server.
func (t Topology) nodes() []Node {
	nodes := []Node{{clientName, Peer}}
	return append(append(nodes, slices.Concat(t...)...), Node{serverName, Peer})
}

// longestNodeName is the longest name of a node in bytes. A link to the node has the prefix in
// front, and at most 15 bytes (linux/if.h, IFNAMSIZ).
const longestNodeName = 15 - len(linkPrefix)

// validate returns an error, in one line, if a lab of the topology cannot be built.
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

// String returns the topology as a picture: "client — firewall — server".
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
