// Package harness builds labs: two peers in network namespaces of their own, with routers,
// firewalls and proxies between them. A lab breaks the path as production breaks it, and records
// what happens.
//
// New opens a lab for a test, Open for any other program. The lab gives its hosts addresses,
// routes and pinned kernel settings, captures their packets, and keeps one timeline of packets,
// conntrack events, socket states and reports of programs. When a test fails, the lab keeps this
// evidence.
//
// The instruments are the packages below this one: netns, link, firewall, proxy, peer, sock,
// capture, timeline, steal. Package scenarios has the faults, package oracle computes what should
// happen and when, and package matcher has the assertions.
package harness
