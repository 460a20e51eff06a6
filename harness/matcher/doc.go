// Package matcher is what specs assert of connections, sockets and packets: that
// a read fails with an errno in a window of time, that it returns zero, that a
// connection stays alive.
//
// The matchers wait by themselves, so they go with Expect, not with Eventually,
// and their texts say what was expected, what was seen and when, and the last
// events of the timeline. When something should happen is computed in
// harness/oracle.
package matcher
