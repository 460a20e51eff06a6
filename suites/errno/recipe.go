// Package errno is the errno atlas, row E of the catalogue: for each errno that a
// socket program can meet, the situations that produce it, made for real.
//
// The recipes are data. Two things are made of them: the specs, which make every
// situation in a lab and look at what the call returned, and Markdown, which is
// docs/errno-atlas.md.
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
	errno  unix.Errno // zero: the call succeeds
	call   string     // as a manual names it: "recv(2)"
	when   string     // the situation, as the end of "it fails when …"
	source string     // the manual page, or the kernel's file and function
	// cook makes the situation and returns what the call returned: the errno as it
	// is. An error on the way there is wrapped, or fails the spec.
	cook func(*harness.Lab) error

	over    sock.Family      // the only address family that has it; zero: both do
	through harness.Topology // zero: Direct
	waits   time.Duration    // that the situation takes; zero: it is there at once
}

// familyless is the "address family" of a recipe that needs no IP address.
const familyless = sock.Family(-1)

// absence is an errno that Linux never returns where one would expect it, and what
// it gives there.
type absence struct {
	errno   unix.Errno
	reason  string // a sentence without a stop
	instead recipe
}

// met are all recipes, in the order of their errnos' names.
var met = slices.SortedStableFunc(
	slices.Values(slices.Concat(opening, connecting, unreachable, gone, reading, writing, datagrams, calls, interruptions)),
	func(a, b recipe) int { return strings.Compare(sock.ErrnoName(a.errno), sock.ErrnoName(b.errno)) },
)
