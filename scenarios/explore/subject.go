package explore

import (
	"context"
	"time"
)

// Subject is what is explored: a program with its peer, or a Go test. Its methods are called from
// several goroutines at a time, and each call has a guest of its own.
type Subject interface {
	// Quiet runs the subject once without a fault, and returns what happened.
	Quiet(ctx context.Context, seed uint64) (Quiet, error)
	// Try makes the runs of one batch, all in one guest, and returns an outcome for each. The
	// outcomes depend on the batch alone: the same batch has the same outcomes, byte for byte,
	// on any machine. What shows how a run went is kept in the directory keep, for a batch of
	// one run: its ladder (ladder.File), TimelineFile and PacketsFile. Try makes the
	// directory; an empty keep keeps nothing. The error is of what kept the whole batch from
	// being run; a single run has Outcome.Trouble.
	Try(ctx context.Context, batch []Run, keep string) ([]Outcome, error)
}

// The files that show how a run went, beside its ladder (ladder.File).
const (
	TimelineFile = "timeline.txt"
	PacketsFile  = "packets.pcapng"
)

// Quiet is a run without a fault.
type Quiet struct {
	// Of identifies what ran, in one line: the command or the tests, the kernel, and a digest of
	// what else decides the outcomes (files, packages, settings). Runs of subjects with different
	// lines are never put together.
	Of     string        `json:"of"`
	Events []Event       `json:"events"` // in their order
	Lasted time.Duration `json:"lasted"` // from the first packet until there was nothing more to see
	// Precision is how far before and after an event a strike is sure to come before or after it:
	// what a fault takes to happen, in virtual time. Instants that are closer are one.
	Precision time.Duration `json:"precision"`
}

// Event is something that happened in the quiet run.
type Event struct {
	At   time.Duration `json:"at"`   // since the first packet of the run
	What string        `json:"what"` // in words: "the client sends SYN"
}

// Run is one run of a subject: what is done to it.
type Run struct {
	Strikes []Strike `json:"strikes,omitempty"` // in the order of their instants; empty: a quiet run
	Seed    uint64   `json:"seed"`
}

// Strike is a fault that happens at an instant of a run.
type Strike struct {
	Fault  string        `json:"fault"`            // its title (scenarios.Parse)
	At     time.Duration `json:"at"`               // since the first packet of the run
	Healed time.Duration `json:"healed,omitempty"` // how long after the strike the fault is healed; zero: never
}

// Outcome is what came of a run.
type Outcome struct {
	Violations []Violation `json:"violations,omitempty"` // empty: all invariants held
	Trouble    string      `json:"trouble,omitempty"`    // why the run shows nothing; empty: it was measured
}

// Violation is an invariant that did not hold.
type Violation struct {
	Invariant string `json:"invariant"` // its name: "request lost"
	Says      string `json:"says"`      // in one line: what was expected, and what was seen
}
