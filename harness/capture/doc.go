// Package capture records the packets of a host on all of its links, decodes and classifies them
// (keepalive probe, retransmission), and writes them as pcapng.
//
// A Capture records from Start on and answers at once: once a program has seen the effect of a
// packet, the packet is in the capture. Package oracle says which packets should be there;
// package firewall forges some.
package capture
