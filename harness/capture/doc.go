// Package capture records the packets of a host on all of its links, decodes them, finds
// probes and retransmissions, and writes pcapng.
//
// A Capture has every packet since Start whose effect a program can have seen. What should
// be on the wire is known to package oracle and the specs; package firewall forges packets.
package capture
