// Package firewall plays the middlebox between the peers of a lab: it sets iptables rules
// and conntrack timeouts, forgets flows, translates addresses and forges packets.
//
// Rules is the packet filter of any host. Firewall is a router of a lab, with its policy.
// The faults that use them are in package scenarios, and links in package link.
package firewall
