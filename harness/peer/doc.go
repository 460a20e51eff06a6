// Package peer is a program on a host of a lab: started, awaited, signalled, ended,
// and heard.
//
// Programs that the project brings along (package fixtures) are compiled into the
// running binary, which is started again to become one; any other program can be a
// peer as well. What a program does to its connections is the specs' business.
package peer
