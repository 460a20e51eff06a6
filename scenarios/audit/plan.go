package audit

import (
	"crypto/tls"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/harness/virtual/root"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// plan is a completed request with its programs as they are started. The measuring process
// gets it as JSON.
type plan struct {
	Request
	Programs   map[answer.Side]program // a side without one is a fixture
	Companions []companion
	Prepared   []preparation
	Over       sock.Family // the family of the labs; zero: IPv4

	// shortLife is how long the quiet connection lived that ended before it had settled; zero:
	// it settled. The measuring process finds it.
	shortLife time.Duration
	// affordable reports that the measuring process has chosen Watch, since the user has not.
	affordable bool

	tls          *tls.Config // of the fixture; nil: its conversation has no TLS
	certificates string      // the directory with the certificate, as the programs see it
}

// program is a program as it is started.
type program struct {
	root.Command
	Root        string   // the directory that is its root; empty: the measuring process's own
	Environment []string // NAME=VALUE: all that it has
	User        string
	Image       *answer.Image // nil: none
}

// newPlan returns the plan of a completed request whose programs are in places.
func newPlan(r Request, places []*place) (plan, error) {
	p := plan{Request: r, Programs: map[answer.Side]program{}}
	for _, side := range []answer.Side{answer.Server, answer.Client} {
		command, setup := r.command(side), r.setup(side)
		if command == "" {
			continue
		}
		found, err := placeOf(places, setup).in(setup, command)
		if err != nil {
			return plan{}, err
		}
		p.Programs[side] = found
	}
	var err error
	if p.Companions, err = r.companions(places); err != nil {
		return plan{}, err
	}
	for _, at := range places {
		prepared, err := at.prepared(r)
		if err != nil {
			return plan{}, err
		}
		p.Prepared = append(p.Prepared, prepared)
	}
	return p, nil
}

// prepared returns what is done in a place before any program starts. Its commands have the
// environment of the first program there.
func (p *place) prepared(r Request) (preparation, error) {
	todo := preparation{Root: p.at, Commands: p.Prepare, Directory: "/", Environment: p.environment("")}
	if p.image != nil {
		todo.Directory = p.image.Config.Directory
	} else if p.directory != "" {
		todo.Directory = p.directory
	} else if here, err := os.Getwd(); err == nil {
		todo.Directory = here
	}
	for _, program := range r.programs() {
		if program.key() == p.key() {
			todo.Environment = append(todo.Environment, program.Environment...)
			break
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Files)) {
		content := []byte(p.Files[name].Text)
		if from := p.Files[name].File; from != "" {
			var err error
			if content, err = os.ReadFile(from); err != nil {
				return preparation{}, fmt.Errorf("reading the file to lay over %s: %w", name, err)
			}
		}
		todo.Files = append(todo.Files, laid{name, content})
	}
	return todo, nil
}

// The placeholders in the commands of programs.
const (
	serverPlaceholder = "{server}"
	portPlaceholder   = "{port}"
)
