package harness

import (
	"fmt"

	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/harness/timeline"
)

// end is one end of a connection in a spec, of whatever protocol.
type end struct {
	Host *Host
	Name string // in the timeline and in failure texts
}

// String is the name that the spec gave.
func (e end) String() string { return e.Name }

// Recent is the end of the timeline, for failure texts.
func (e end) Recent() string { return e.Host.lab.Recent() }

// note adds what the end does to the timeline.
func (e end) note(format string, args ...any) {
	e.Host.lab.timeline.Addf(e.Host.name, timeline.Step, "%s %s", e.Name, fmt.Sprintf(format, args...))
}

// step does an action of the end.
func (e end) step(what string, do func() error) {
	e.Host.lab.t.Helper()
	e.Host.lab.perform(action, e.Name+" "+what, do)
}

func outcome(err error) string {
	if err == nil {
		return "done"
	}
	return sock.ErrnoName(err)
}
