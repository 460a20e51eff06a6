// Package plan is what an audit is asked to do: the two programs, what they need, and
// how long to look. The command makes a plan of its arguments; the same plan, as JSON,
// is what the measuring reads inside the guest.
//
// How a program gets into the guest is package harness/virtual/root's; what is measured is package
// measuring's.
package plan

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/halfopen-lab/halfopen/fixtures/presets"
	"github.com/halfopen-lab/halfopen/harness/virtual/root"
)

// Side is an end of the connection.
type Side string

// The sides. The zero value is neither.
const (
	Server Side = "server"
	Client Side = "client"
)

// Other is the other side.
func (s Side) Other() Side {
	if s == Server {
		return Client
	}
	return Server
}

// Plan is one audit.
type Plan struct {
	// UnderTest is the side that is audited. The other one is a program too, or, where
	// there is none, a fixture: it connects, or accepts, reads what comes, and holds.
	UnderTest Side
	// Server and Client are the programs; nil is a fixture.
	Server, Client *Program
	// Port is where the server listens.
	Port uint16
	// Send is what a fixture sends once it is connected, and once more where a fault
	// is to meet a program with data under way. Empty: it never sends.
	Send string
	// Echo says that a fixture sends back what it gets.
	Echo bool
	// Watch is how long a fault is looked at when nothing ends the connection; zero: two
	// and a half hours, or less for a program that makes virtual time dear.
	Watch time.Duration
	// Ready is how long the program may take until it listens, or is connected.
	Ready time.Duration
	// Presets are the names of middleboxes to run the program behind (fixtures/presets);
	// what becomes of it behind the others is derived.
	Presets []string
	// Only are the faults to do, by name; empty: all, and then the advised settings are
	// tried as well.
	Only []string
	// RealTime says that it is measured on the running kernel: what takes longer than
	// Watch is left out, and there is nothing to Prepare.
	RealTime bool
	// Prepare are shell commands that run once in the guest before any program does.
	Prepare []string
	// Directories are made for every start of a program, as its package or its service
	// manager would make them.
	Directories []Directory
}

// Program is a program as it is started.
type Program struct {
	root.Command
	Environment []string // NAME=VALUE, beside PATH, HOME and LANG
	User        string   // whom it runs as; empty: root
}

// Directory is one to be made.
type Directory struct {
	Path string
	Mode uint32 // permissions; 0 means 0755
	User string // the owner; empty: root
}

// Program is the program of a side; nil is a fixture.
func (p *Plan) Program(side Side) *Program {
	if side == Server {
		return p.Server
	}
	return p.Client
}

// Check says, in one line, what is wrong with a plan for programs of these commands, which
// are not packed yet.
func (p *Plan) Check(server, client string) error {
	switch {
	case p.UnderTest != Server && p.UnderTest != Client:
		return fmt.Errorf("the side under test is %q: it must be server or client", p.UnderTest)
	case server == "" && client == "":
		return errors.New("there is nothing to audit: name a server or a client (--server, --client, or a file with -f)")
	case p.UnderTest == Server && server == "" || p.UnderTest == Client && client == "":
		return fmt.Errorf("the %s is under test, and there is none", p.UnderTest)
	case p.Port == 0:
		return errors.New("the port is missing: where the server listens (--port)")
	case p.Watch < 0:
		return fmt.Errorf("the time to watch, %v, must not be negative", p.Watch)
	case p.Ready <= 0:
		return fmt.Errorf("the time to get ready, %v, must be positive", p.Ready)
	}
	return p.CheckPresets()
}

// CheckPresets says, in one line, which preset cannot be run.
func (p *Plan) CheckPresets() error {
	for _, name := range p.Presets {
		if _, known := presets.Find(name); !known {
			return fmt.Errorf("there is no preset %q: see 'halfopen presets'", name)
		}
		if !Runs(name) {
			return fmt.Errorf("the preset %s cannot be run in an audit: it is a proxy, or forgets nothing; what becomes of a session there is derived", name)
		}
	}
	return nil
}

// Runs says whether an audit can put a preset between the two sides: a firewall that
// forgets.
func Runs(name string) bool {
	p, known := presets.Find(name)
	return known && !p.Proxy() && p.Idle > 0
}

// Filled is an argument with {server} and {port} replaced.
func Filled(argument, server string, port uint16) string {
	return strings.NewReplacer("{server}", server, "{port}", fmt.Sprint(port)).Replace(argument)
}
