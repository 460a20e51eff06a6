package audit

import (
	"crypto/tls"
	"fmt"
	"strings"

	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/harness/virtual/root"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// plan is a completed request with its programs as they are started. The measuring process
// gets it as JSON.
type plan struct {
	Request
	Programs map[answer.Side]root.Command // a side without one is a fixture
	Root     string                       // the directory that is the programs' root; empty: the measuring process's own
	Family   sock.Family                  // of the labs; zero: IPv4
	Base     []string                     // NAME=VALUE, of every program
	Image    *answer.Image                // nil: none

	tls          *tls.Config // of the fixture; nil: its conversation has no TLS
	certificates string      // the directory with the certificate, as the programs see it
}

// environment returns what every program has in its environment. The home of a user is for
// the box to find.
func (r Request) environment(path, home string) []string {
	base := []string{"PATH=" + path, "LANG=C.UTF-8"}
	if r.User == "" || r.User == "root" {
		base = append(base, "HOME="+home)
	}
	return base
}

// systemPath is where a system's own programs are.
const systemPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// newPlan returns the plan of a completed request; find finds the program of a command.
func newPlan(r Request, find func(command string) (root.Command, error)) (plan, error) {
	p := plan{Request: r, Programs: map[answer.Side]root.Command{}}
	for _, side := range []answer.Side{answer.Server, answer.Client} {
		command := r.command(side)
		if command == "" {
			continue
		}
		program, err := find(command)
		if err != nil {
			return plan{}, err
		}
		p.Programs[side] = program
	}
	return p, nil
}

// The placeholders in the commands of programs.
const (
	serverPlaceholder = "{server}"
	portPlaceholder   = "{port}"
)

// fill returns an argument with the placeholders replaced.
func fill(argument, server string, port uint16) string {
	return strings.NewReplacer(serverPlaceholder, server, portPlaceholder, fmt.Sprint(port)).Replace(argument)
}
