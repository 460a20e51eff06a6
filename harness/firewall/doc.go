// Package firewall is the box between the peers: iptables rules, conntrack
// timeouts, what happens after an idle timeout, NAT, and "forget this flow now".
//
// Rules works on any host; Firewall is the router of a lab with its policy. The
// faults that use them are in package scenarios; links are in harness/link.
package firewall
