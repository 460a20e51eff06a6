package scenarios

import (
	"errors"
	"fmt"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

// Absence is what a client that connects to a server which is not there gets.
type Absence int

// The absences. The zero value is Silent.
const (
	Silent      Absence = iota // no answer at all
	Refused                    // RST: the host runs, and no program listens (RFC 9293 §3.10.7.1)
	Unreachable                // the ICMP error "host unreachable" of the router before the server
)

// String returns the absence in the words of tables: "silent".
func (a Absence) String() string {
	switch a {
	case Silent:
		return "silent"
	case Refused:
		return "refused"
	case Unreachable:
		return "host unreachable"
	}
	return fmt.Sprintf("absence %d", int(a))
}

// ServerAway is a server that is not there when a client connects. Silent works in every topology,
// Unreachable needs a router, and Refused a server on which nothing listens.
type ServerAway struct {
	How Absence // the zero value is Silent
}

// String implements harness.Fault.
func (f ServerAway) String() string { return fmt.Sprintf("the server is away: %v", f.How) }

// Apply implements harness.Fault.
func (f ServerAway) Apply(lab *harness.Lab) error {
	switch f.How {
	case Silent:
		return SilentDrop{}.Apply(lab)
	case Unreachable:
		return NeighbourLost{}.Apply(lab)
	case Refused:
		if lab.Server.Count(sock.Listening) > 0 {
			return errors.New("a program on the server listens: end it, or do not start it")
		}
		return nil
	}
	return fmt.Errorf("there is no %v", f.How)
}

// Commands implements harness.Fault.
func (f ServerAway) Commands(lab *harness.Lab) []string {
	switch f.How {
	case Silent:
		return SilentDrop{}.Commands(lab)
	case Unreachable:
		return NeighbourLost{}.Commands(lab)
	}
	return []string{"# on the server", "kill $(pidof PROGRAM)"}
}
