// Package matcher has the Gomega matchers of specs: a read fails with an errno in a window of
// time, a connection stays alive, a host has received a packet.
//
// The matchers wait by themselves, so they go with Expect and not with Eventually. A failure
// text says what was expected, what came and when, and the last events of the timeline.
// Package oracle computes when something should happen.
package matcher
