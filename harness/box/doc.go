// Package box runs a program in a box of its own: namespaces for processes, mounts, IPC, names
// and control groups, a root file system whose changes only the box sees, and a terminal to write to. Many
// copies of a program then run at once without sharing pid files, locks, logs and sockets,
// and none of their processes outlives its box.
//
// A box is a program inside the running binary (harness/reexec) and a peer on a host of a
// lab (harness/peer): process 1 of its pid namespace. It starts the program, reaps every
// process that the program leaves behind, and reports how the program ends. What the
// program does to its connections is the caller's business.
package box
