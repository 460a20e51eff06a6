// Package sock is TCP and SCTP sockets with nothing in between: raw descriptors, raw
// errnos, one system call for each method, and what the kernel says of any
// socket (TCP_INFO, queues, timers through sock_diag(7); SCTP_STATUS and the table of
// associations).
//
// Go's net package retries, hides errors and switches keepalive on (15 s), and
// so cannot be the instrument. A socket belongs to the network namespace of the
// thread that makes it; whoever calls Listen, Dial or OpenDiag does so inside
// harness/netns. This package imports nothing of ours; programs under test,
// timelines and assertions live elsewhere.
package sock
