// Package trace reads what the kernel says of programs, without slowing them down or
// changing them: trace events (tracefs) for TCP state changes and for system calls that
// return an error, and sock_diag for sockets that are destroyed.
//
// It runs no program and judges nothing. A program is told from all others by a mark in
// the trace, which its process or an ancestor of it has written (harness/box).
package trace
