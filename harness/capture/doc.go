// Package capture is the packets of a host: seen on all of its links, decoded, told
// apart (probe, retransmission), and written to pcapng.
//
// A Capture records from the moment it is started and answers at once: a packet
// that a program has seen the effect of is in it. What should be on the wire is the
// business of harness/oracle and the specs; forged packets are harness/firewall's.
package capture
