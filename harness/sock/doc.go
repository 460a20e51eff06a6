// Package sock has raw TCP and SCTP sockets: one system call for each method, the kernel's errno
// unwrapped. It also reads what the kernel knows of any socket (TCP_INFO, queues, and timers by
// sock_diag(7); SCTP_STATUS and the table of associations).
//
// Go's package net cannot measure: it retries, wraps errors and switches keepalive on (15 s).
//
// A socket belongs to the network namespace of the thread that makes it. Callers of Socket,
// Listen, OpenSCTP, OpenDiag, OpenEcho and OpenDestroyed run in the namespace (package netns).
package sock
