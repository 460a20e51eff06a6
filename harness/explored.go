package harness

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/halfopen-lab/halfopen/harness/atomicfile"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/timeline"
)

// ExploredFile is the file in the report that an explored test leaves (variable HALFOPEN_EXPLORE).
const ExploredFile = "explored.json"

// Explored is what an explored test leaves in the report, as JSON.
type Explored struct {
	Labs    int    `json:"labs"`              // how many labs the test has opened; the first one is explored
	Trouble string `json:"trouble,omitempty"` // why something could not be done to it, in one line
	Hung    bool   `json:"hung,omitempty"`    // the test was ended, because it lasted too long
	// Firewall reports that the lab has a firewall that translates no addresses.
	Firewall bool `json:"firewall,omitempty"`

	// Events and Lasted are the lab's story, if the exploration asks for it.
	Events []Happening   `json:"events,omitempty"`
	Lasted time.Duration `json:"lasted,omitempty"` // from the first packet to the end of the lab
}

// Happening is something that happened in an explored lab: a packet that was sent or arrived, a
// step of the test, a socket that changed its state.
type Happening struct {
	At   time.Duration `json:"at"` // since the first packet
	What string        `json:"what"`
}

// tell leaves the lab's story, if it was asked for: its events, and its evidence in the directory
// of the report itself.
func (e *exploration) tell(change func(*Explored)) error {
	if !e.wanted.Story {
		return leave(change)
	}
	var events []Happening
	var lasted time.Duration
	first, _, _ := e.clock.State()
	if !first.IsZero() {
		events, lasted = e.lab.happenings(first), time.Since(first)
	}
	err := leave(func(left *Explored) {
		left.Events, left.Lasted = events, lasted
		change(left)
	})
	if root := environment.Read().Report; root != "" && err == nil {
		_, err = e.lab.KeepEvidence(root)
	}
	return err
}

// happenings returns what has happened in the lab, in its order: packets where a peer or the proxy
// sends them, and where they arrive; and of the timeline what has the instant at which it happened.
func (l *Lab) happenings(first time.Time) (all []Happening) {
	l.observe()
	var captures []*capture.Capture
	for _, h := range l.hosts {
		captures = append(captures, h.capture)
	}
	add := func(at time.Time, format string, args ...any) {
		all = append(all, Happening{at.Round(0).Sub(first), fmt.Sprintf(format, args...)})
	}
	for _, f := range capture.Frames(captures...) {
		switch host := l.lookup(f.Host); {
		case !host.belongsInTimeline(f.Packet):
		case f.Out:
			add(f.At, "%v sends %s", host, f.Brief())
		default:
			add(f.At, "%s reaches %v", f.Brief(), host)
		}
	}
	for _, e := range l.timeline.Events() {
		switch e.Kind {
		case timeline.Step:
			add(e.At, "%s", e.What)
		case timeline.State, timeline.Peer:
			add(e.At, "%s: %s", e.Who, e.What)
		}
	}
	// A program sends a packet before it says so: packets are first among equals.
	slices.SortStableFunc(all, func(a, b Happening) int { return cmp.Compare(a.At, b.At) })
	return all
}

// leave changes what this process has left in the report. Without a report it does nothing.
func leave(change func(*Explored)) error {
	root := environment.Read().Report
	if root == "" {
		return nil
	}
	left.Lock()
	defer left.Unlock()
	change(&left.Explored)
	content, err := json.Marshal(left.Explored)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return fmt.Errorf("leaving what was done to the explored lab: %w", err)
	}
	return atomicfile.WriteFile(filepath.Join(root, ExploredFile), append(content, '\n'), 0o644)
}

// left is what this process has left.
var left struct {
	sync.Mutex
	Explored
}
