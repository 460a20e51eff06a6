// Package peer is a program on a host of a lab: started, awaited, signalled, ended,
// and heard.
//
// A peer is any program: one that is installed, or one inside the running binary
// (package reexec), as those in package fixtures are. What a program does to its
// connections is the specs' business.
package peer
