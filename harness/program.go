package harness

import (
	"github.com/halfopen-lab/halfopen/harness/peer"
)

// Program is a program that runs on a host. The embedded peer.Program has the
// calls that return errors.
type Program struct {
	*peer.Program
	host *Host
}

// Await waits until the program has reported an event of that name, which may have
// come before, and returns it. The test fails when it does not come promptly.
func (p *Program) Await(event string) peer.Event {
	p.host.lab.t.Helper()
	ctx, cancel := p.host.lab.context()
	defer cancel()
	e, err := p.Program.Await(ctx, event)
	if err != nil {
		p.host.lab.t.Fatalf("%v\n%s", err, p.host.lab.Recent())
	}
	return e
}

// AwaitEnd waits until the program has ended and returns how: "exit status 0",
// "signal: broken pipe".
func (p *Program) AwaitEnd() string {
	p.host.lab.t.Helper()
	ctx, cancel := p.host.lab.context()
	defer cancel()
	how, err := p.Program.AwaitEnd(ctx)
	if err != nil {
		p.host.lab.t.Fatalf("%v\n%s", err, p.host.lab.Recent())
	}
	return how
}

// String is the host that the program runs on, as specs speak of it: "the server".
func (p *Program) String() string { return "the " + p.host.Name + "'s program" }

// Recent is the end of the timeline, for failure texts.
func (p *Program) Recent() string { return p.host.lab.Recent() }
