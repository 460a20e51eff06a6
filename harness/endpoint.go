package harness

import (
	"fmt"

	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/harness/timeline"
)

// endpoint is what a Conn and an Association have in common.
type endpoint struct {
	Host *Host
	Name string // names it in the timeline and in failure texts
}

// String returns the name that the spec has given it.
func (e endpoint) String() string { return e.Name }

// Recent returns the last events of the lab's timeline, for failure texts.
func (e endpoint) Recent() string { return e.Host.lab.Recent() }

// note adds to the timeline what a program does with the endpoint.
func (e endpoint) note(format string, args ...any) {
	e.Host.lab.timeline.Addf(e.Host.name, timeline.Step, "%s %s", e.Name, fmt.Sprintf(format, args...))
}

// step takes a step that is an action of the endpoint's program.
func (e endpoint) step(what string, do func() error) {
	e.Host.lab.t.Helper()
	e.Host.lab.perform(action, e.Name+" "+what, do)
}

// outcome returns how a call ended: "done", or the errno.
func outcome(err error) string {
	if err == nil {
		return "done"
	}
	return sock.ErrnoName(err)
}
