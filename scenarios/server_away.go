package scenarios

import (
	"errors"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

// ServerAway is a server that is not there when a client connects: its host has no power, or
// runs and has no server. It works in every topology.
type ServerAway struct {
	// Refuses means that the host runs, and its kernel answers each SYN with RST (RFC 9293
	// §3.10.7.1). The zero value is a host without power: nobody answers.
	Refuses bool
}

// String implements harness.Fault.
func (f ServerAway) String() string {
	if f.Refuses {
		return "no server listens"
	}
	return "the server's host has no power"
}

// Apply implements harness.Fault. It returns an error if the host is to refuse, and a program
// listens on it.
func (f ServerAway) Apply(lab *harness.Lab) error {
	if !f.Refuses {
		return PowerOff{lab.Server}.Apply(lab)
	}
	if lab.Server.Count(sock.Listening) > 0 {
		return errors.New("a program on the server listens: end it, or do not start it")
	}
	return nil
}

// Heal implements harness.Healer: the host has power again. A server must be started by the
// caller.
func (f ServerAway) Heal(lab *harness.Lab) error {
	if f.Refuses {
		return nil
	}
	return PowerOff{lab.Server}.Heal(lab)
}

// Commands implements harness.Fault.
func (f ServerAway) Commands(lab *harness.Lab) []string {
	if !f.Refuses {
		return PowerOff{lab.Server}.Commands(lab)
	}
	return []string{"# on the server", "kill $(pidof PROGRAM)"}
}
