package audit

import (
	"slices"
	"time"

	"github.com/halfopen-lab/halfopen/fixtures/presets"
)

// faultNames returns the titles of the rows that the answer to the request has if it is not
// limited to some, and time does not matter.
func (r Request) faultNames() []string {
	r.Only = nil
	var names []string
	for _, f := range r.wanted() {
		if f.role == row {
			names = append(names, f.title())
		}
	}
	return names
}

// trials returns the faults that are measured. The first is the quiet connection.
func (r Request) trials() []fault {
	return slices.DeleteFunc(r.wanted(), r.tooLong)
}

// tooLong reports whether a fault takes longer than it is watched in real time.
func (r Request) tooLong(f fault) bool { return r.RealTime && f.takes() > r.Watch }

// takes returns how long a trial must last to show anything; zero: it may show at once.
func (f fault) takes() time.Duration { return max(f.watch, 2*f.idle) }

// wanted returns the faults that would be measured if time did not matter.
func (r Request) wanted() []fault {
	all := []fault{quietConnection}
	for _, f := range faults() {
		if f.busy && r.Send == "" && !r.betweenPrograms() {
			continue
		}
		if len(r.Only) == 0 || slices.Contains(r.Only, f.title()) {
			all = append(all, f)
		}
	}
	for _, name := range r.Presets {
		p, _ := presets.Find(name) // checkPresets knows it
		all = append(all, middlebox(p))
	}
	if len(r.Only) == 0 {
		all = append(all, remedies()...)
	}
	return all
}
