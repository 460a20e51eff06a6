package audit

import (
	"fmt"

	"github.com/halfopen-lab/halfopen/fixtures/presets"
	"github.com/halfopen-lab/halfopen/harness/linux"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// conclude makes the answer of the outcomes, of which the first is the quiet connection's.
func conclude(p *plan, outcomes []*outcome) *answer.Answer {
	program := p.Programs[p.UnderTest]
	a := &answer.Answer{
		Program: answer.Program{Side: p.UnderTest, Command: program.Text, Package: program.Package, Image: program.Image, Port: p.Port, Peer: "a fixture"},
		Kernel:  "Linux " + linux.Release(), RealTime: p.RealTime,
		Watched: answer.Of(p.Watch),
	}
	if peer := p.command(p.UnderTest.Other()); peer != "" {
		a.Program.Peer = peer
	}
	for _, c := range p.Companions {
		a.Program.Beside = append(a.Program.Beside, fmt.Sprintf("%s: %s, on the %s's host", c.Name, c.Program.Text, c.On))
	}
	quiet := outcomes[0]
	if quiet.err != nil {
		a.Trouble = firstLine(quiet.err)
		return a
	}
	a.Program.IPv6 = p.Family == sock.IPv6
	a.Program.Loopback, a.Program.Ready = quiet.trial.loopback, answer.Of(quiet.trial.readyAfter)
	a.Wire = quiet.wire()
	if quiet.trial.cut {
		a.Watched = min(a.Watched, answer.Of(quiet.trial.over.Sub(quiet.trial.struck)))
	}
	switch s := quiet.trial.settings; {
	case s == nil:
		a.Unknown = append(a.Unknown, "the settings of its socket: the connection was over before they could be read")
	case s.err != nil:
		a.Unknown = append(a.Unknown, "the settings of its socket: "+s.err.Error())
	default:
		a.Settings = s.Settings
	}
	tried := addRows(a, outcomes)
	switch {
	case p.betweenPrograms():
		a.Unknown = append(a.Unknown, "what it does with data under way, and when the peer only sends FIN: nothing makes a peer that is a program do so")
	case p.Send == "":
		a.Unknown = append(a.Unknown, "what it does with data under way: it was sent nothing to answer (--send)")
	}
	if p.UnderTest == answer.Server {
		a.Ghosts = ghosts(a.Faults)
	}
	a.Advice = advise(a, tried)
	return a
}

// addRows adds the faults and the presets to the answer, and returns the trials of the
// advised settings.
func addRows(a *answer.Answer, outcomes []*outcome) (tried []answer.Fault) {
	behindPreset := map[string]answer.Preset{}
	for _, o := range outcomes {
		f := o.judge(a.Wire)
		switch o.trial.role {
		case row:
			a.Faults = append(a.Faults, f)
		case preset:
			behindPreset[f.Name] = measuredBehind(f)
		case remedy:
			tried = append(tried, f)
		}
	}
	for _, p := range presets.All() {
		measured, ok := behindPreset[p.Name]
		if !ok {
			a.Presets = append(a.Presets, behind(p, a.Wire, a.Settings, a.Watched.Duration()))
			continue
		}
		measured.Timeout = answer.Seconds(p.Idle)
		a.Presets = append(a.Presets, measured)
	}
	return tried
}
