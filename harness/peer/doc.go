// Package peer runs programs on the hosts of a lab: it starts and ends them, sends them
// signals, and reads what they write.
//
// A peer is any program: one that is installed, or one inside the running binary
// (package reexec), as those in package fixtures are. What a program does to its
// connections is not known here.
package peer
