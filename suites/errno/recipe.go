// Package errno contains the errno atlas, row E of the catalogue: for each errno that a
// socket program can get, the real situations that produce it.
//
// The recipes are data with two uses. The specs produce every situation in a lab and check
// what the call returns. Markdown prints them as docs/errno-atlas.md.
package errno

import (
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

// recipe is a situation in which a call fails with an errno.
type recipe struct {
	errno  unix.Errno // zero means that the call succeeds
	call   string     // with the section of its manual page: "recv(2)"
	when   string     // the situation, as the end of "it fails when …"
	source string     // the manual page, or the file and function of the kernel
	// produce produces the situation and returns what the call returns: the bare errno. An
	// error before the call is wrapped, or fails the spec.
	produce func(*harness.Lab) error

	over    sock.Family      // the only address family in which it occurs; zero means both
	through harness.Topology // zero means Direct
	waits   time.Duration    // how long the situation takes; zero means no time
}

// familyless is the "address family" of a recipe that needs no IP address.
const familyless = sock.Family(-1)

// absence is an errno that Linux never returns where one expects it.
type absence struct {
	errno   unix.Errno
	reason  string // a sentence without its full stop
	instead recipe // what Linux returns
}

// recipes holds all recipes, in the order of the names of their errnos.
var recipes = slices.SortedStableFunc(
	slices.Values(slices.Concat(opening, connecting, unreachable, gone, reading, writing, datagrams, calls, interruptions)),
	func(a, b recipe) int { return strings.Compare(sock.ErrnoName(a.errno), sock.ErrnoName(b.errno)) },
)
