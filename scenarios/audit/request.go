package audit

import (
	"cmp"
	"io"
	"slices"
	"time"

	"github.com/halfopen-lab/halfopen/fixtures/conversation"
	"github.com/halfopen-lab/halfopen/fixtures/presets"
	"github.com/halfopen-lab/halfopen/harness/virtual/machine"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// Request is an audit as a user asks for it. The fields that have a name in YAML stand in
// files (Load).
type Request struct {
	// Server and Client are the programs. One that is not given is a fixture, which connects
	// or accepts, reads what comes, and holds the connection.
	Server Program `yaml:"server"`
	Client Program `yaml:"client"`
	// UnderTest is the side that is audited. Empty: the program, or where both sides are
	// programs the server.
	UnderTest answer.Side `yaml:"under_test"`
	Beside    []Beside    `yaml:"beside"` // programs that run beside the two sides
	Port      uint16      `yaml:"port"`   // where the server listens

	// Setup is what every program finds, beside what is its own.
	Setup `yaml:",inline"`

	// Send is what a fixture sends once it is connected, and once more where a fault is to
	// meet data under way. Empty: it sends nothing.
	Send conversation.Text `yaml:"send"`
	Echo bool              `yaml:"echo"` // a fixture sends back what it receives
	// Conversation is what a fixture says, unless Send or Echo is short for it.
	Conversation conversation.Conversation `yaml:"conversation"`
	// Faults are measured beside those that are measured by default, by their titles
	// (scenarios.Parse), with ", busy" for data under way.
	Faults []string `yaml:"faults"`
	// Presets are the middleboxes to run the program behind (presets.Parse). What becomes of
	// it behind the others is derived.
	Presets []string `yaml:"presets"`
	// Watch is how long each fault is watched where nothing ends the connection. Zero: two
	// and a half hours, or less for a program that often wakes up, but a firewall for twice its
	// idle timeout at least; in real time a minute.
	Watch time.Duration `yaml:"watch"`
	// Protocol is that of the connections: empty is TCP.
	Protocol Protocol `yaml:"protocol"`
	// Family is that of the connections: empty, IPv4, IPv6 or Both.
	Family Family `yaml:"family"`
	// Ready is how long a program may take until it listens or is connected.
	Ready time.Duration `yaml:"ready"`

	Expect  answer.Promises `yaml:"expect"`
	Explore Exploring       `yaml:"explore"` // for an exploration (OpenExplored)

	// Only are the faults and presets to measure, by name. Empty: all faults, Presets, and
	// the advised settings.
	Only []string `yaml:"-"`
	// Variants are measured instead of everything else.
	Variants []Variant `yaml:"-"`
	// RealTime measures on the running kernel, as root, the programs that this machine has.
	// What takes longer than Watch is left out.
	RealTime bool         `yaml:"-"`
	Machine  machine.Want `yaml:"-"` // of the guest
	Seed     uint64       `yaml:"-"` // decides everything random in the guest
	Memory   int          `yaml:"-"` // of the guest, in MiB; zero: as much as it needs
	// Report is the directory that receives the answer and the captures. It is emptied
	// first, unless something else than a report is in it, which is an error.
	Report string `yaml:"-"`

	// Progress is called for each step, from one goroutine at a time; nil: it is not.
	Progress func(Progress) `yaml:"-" json:"-"`
	// Log receives what finding or building the guest's kernel prints; nil: nobody.
	Log io.Writer `yaml:"-" json:"-"`
}

// log returns where to write what is done.
func (r Request) log() io.Writer {
	if r.Log == nil {
		return io.Discard
	}
	return r.Log
}

// Default returns a request with the default durations and seed.
func Default() Request { return Request{Ready: time.Minute, Seed: 1} }

// program returns the program of a side.
func (r *Request) program(side answer.Side) *Program {
	if side == answer.Server {
		return &r.Server
	}
	return &r.Client
}

// command returns the program of a side as a command; empty: a fixture, or an image's own
// program.
func (r Request) command(side answer.Side) string { return r.program(side).Command }

// betweenPrograms reports whether both sides are programs.
func (r Request) betweenPrograms() bool { return r.Server.given() && r.Client.given() }

// completed returns the request with its defaults filled in: the side under test, whose
// program an image may have, the presets to run, the time to watch in real time.
func (r Request) completed() Request {
	if r.UnderTest == "" {
		r.UnderTest = answer.Server
		if !r.Server.given() && r.Client.given() {
			r.UnderTest = answer.Client
		}
	}
	if !r.Server.given() && !r.Client.given() {
		r.program(r.UnderTest).Image = r.Image
	}
	r.Beside = slices.Clone(r.Beside)
	for i := range r.Beside {
		r.Beside[i].On = cmp.Or(r.Beside[i].On, r.UnderTest)
	}
	switch {
	case r.Watch != 0:
	case r.RealTime:
		r.Watch = time.Minute
	case r.Protocol == SCTP:
		r.Watch = watchOfSCTP
	}
	if !r.Conversation.Says() && r.Conversation.Like == "" {
		short := conversation.Short([]byte(r.Send), r.Echo)
		short.TLS, short.Every = r.Conversation.TLS, r.Conversation.Every
		r.Conversation = short
	} else if c, err := r.Conversation.For(r.fixtureRole()); err == nil { // checkConversation reports the error
		r.Conversation = c
	}
	perhaps := r.Expect.Survives // those that cannot be run are derived
	if len(r.Only) > 0 {
		r.Presets, perhaps = nil, r.Only
	}
	r.Presets = slices.Clone(r.Presets)
	for _, name := range perhaps {
		if canRun(name) {
			r.Presets = append(r.Presets, name)
		}
	}
	for i, name := range r.Presets { // each has one name in the answer
		if p, err := presets.Parse(name); err == nil {
			r.Presets[i] = p.Name
		}
	}
	slices.Sort(r.Presets)
	r.Presets = slices.Compact(r.Presets)
	return r
}

// canRun reports whether an audit can put a preset between the two sides: a firewall that
// forgets.
func canRun(name string) bool {
	p, err := presets.Parse(name)
	return err == nil && !p.Proxy() && p.Idle > 0
}

// HasProgram reports whether the request names a program, or an image that has one.
func (r Request) HasProgram() bool { return len(r.programs()) > 0 || r.Image != "" }

// Tests returns the side that is audited.
func (r Request) Tests() answer.Side { return r.completed().UnderTest }
