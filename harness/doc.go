// Package harness is the lab: two peers in network namespaces of their own, with
// what lies between them, all of it breakable and watched.
//
// New builds the hosts and cables of a Topology, wires packet capture, conntrack
// events, socket states and the programs' own reports into one timeline, and keeps the
// evidence when a spec fails. The instruments live in the packages below this one
// (netns, link, firewall, proxy, peer, sock, capture, timeline, and steal for the
// machine itself), what should happen in oracle, the faults in package scenarios, and
// the assertions in harness/matcher.
package harness
