// Package audit measures what an unmodified program does when its peer is gone: Run starts
// the program once for each fault, each time in a lab of its own, and returns what its
// kernel and the program itself have noticed, and when.
//
// Run itself only prepares: it puts the programs into a guest with virtual time (pack.go,
// guest.go), or starts a process on the running kernel (host.go). The trials are measured
// there (measure.go), all at the same time, since their waits overlap. The program is
// watched from outside and waits for nobody: the kernel's trace says when its socket
// changes state and when one of its calls returns an error (harness/trace), a capture has
// the packets, and sock_diag says when the program has closed its socket. Nothing polls:
// whatever wakes an idle guest makes its virtual hours dear.
//
// A program that calls Run must call harness.Main or reexec.Main first thing in main:
// halfopen starts the running binary again in the guest.
//
// The answer, its pages and the promises that it is compared with are package
// scenarios/audit/answer's.
package audit
