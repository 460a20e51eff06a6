package audit

import (
	"fmt"
	"slices"

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
	a.Program.IPv6 = p.Over == sock.IPv6
	a.Program.Loopback, a.Program.Ready = quiet.trial.loopback, answer.Of(quiet.trial.readyAfter)
	if p.Protocol == SCTP {
		a.Program.SCTP = true
		concludeSCTP(a, outcomes)
		return a
	}
	a.Conversation = quiet.trial.conversation()
	a.Wire = quiet.wire()
	a.NoSession = noSession(a.Wire, p.betweenPrograms())
	if p.shortLife >= shortestLife {
		_, strike := p.settling()
		rounded := answer.Of(strike)
		a.Strike = &rounded
	}
	if quiet.trial.cut {
		a.Watched = min(a.Watched, answer.Of(quiet.trial.over.Sub(quiet.trial.struck)))
	}
	a.Connections = connectionsOf(outcomes)
	switch s := anySettings(outcomes); {
	case s == nil:
		a.Unknown = append(a.Unknown, "the settings of its socket: each connection was over before they could be read")
	case s.err != nil:
		a.Unknown = append(a.Unknown, "the settings of its socket: "+s.err.Error())
	default:
		a.Settings = s.Settings
	}
	tried := addRows(a, p, outcomes)
	if !p.asks() && !p.betweenPrograms() && a.NoSession == "" { // which says it
		a.Unknown = append(a.Unknown, "what it does with data under way: it was sent nothing to answer (--conversation, --send)")
	}
	if p.UnderTest == answer.Server {
		a.Ghosts = ghosts(a.Faults)
	}
	a.Advice = advise(a, tried)
	return a
}

// anySettings returns the settings that the first trial has read which could; nil: none could,
// because every connection was over.
func anySettings(outcomes []*outcome) *settings {
	for _, o := range outcomes {
		if c := o.trial.chosen; c != nil && c.settings != nil {
			return c.settings
		}
	}
	return nil
}

// connectionsOf returns the connections of the quiet trial. The settings of those that were over
// before they could be read are those of another trial.
func connectionsOf(outcomes []*outcome) []answer.Connection {
	all := outcomes[0].trial.opened
	for i := range all {
		for _, o := range outcomes[1:] {
			if all[i].Settings == nil && i < len(o.trial.opened) {
				all[i].Settings = o.trial.opened[i].Settings
			}
		}
	}
	return all
}

// noSession returns why what was seen of the quiet connection tells nothing of sessions; empty:
// it does. What a program that is a peer does not answer, its protocol does not answer.
func noSession(w answer.Wire, betweenPrograms bool) string {
	remedy := " (--conversation, --send)"
	if betweenPrograms {
		remedy = ""
	}
	switch {
	case w.Sent == 0 && w.Received == 0:
		return "nothing was exchanged: neither side sent data" + remedy
	case betweenPrograms:
		return ""
	case w.Unanswered > 0 && w.Answered == 0:
		return fmt.Sprintf("the peer answered none of the program's %d heartbeats%s", w.Unanswered, remedy)
	case w.Received == 0:
		return "nothing was exchanged: the peer sent no data" + remedy
	}
	return ""
}

// addRows adds the faults and the presets to the answer, and returns the trials of the
// advised settings.
func addRows(a *answer.Answer, p *plan, outcomes []*outcome) (tried []answer.Fault) {
	behindPreset := map[string]answer.Preset{}
	for _, o := range outcomes {
		f := o.judge(a.Connections)
		switch o.trial.role {
		case row:
			a.Faults = append(a.Faults, f)
		case preset:
			is, _ := presets.Parse(f.Name) // checkPresets knows it
			behindPreset[f.Name] = measuredBehind(is, f, o.wire())
		case remedy:
			tried = append(tried, f)
		case variant:
			a.Varied = append(a.Varied, f)
		}
	}
	for _, p := range append(presets.All(), valued(p)...) {
		derived := behind(p, a.Wire, a.Settings, a.Watched.Duration())
		if a.NoSession != "" {
			derived = answer.Preset{Name: p.Name, Timeout: answer.Seconds(p.Idle), Outcome: answer.Undecided, How: answer.Derived, Why: a.NoSession}
		}
		measured, ok := behindPreset[p.Name]
		switch {
		case !ok:
			a.Presets = append(a.Presets, derived)
			continue
		case a.NoSession != "" && measured.Outcome == answer.EndsFirst:
			measured.Outcome, measured.Why = answer.Undecided, a.NoSession+"; "+measured.Why
		}
		measured.Alone, measured.WhyAlone = derived.Alone, derived.WhyAlone
		a.Presets = append(a.Presets, measured)
	}
	return tried
}

// valued returns the presets of a plan whose timeout the user has set, each once.
func valued(p *plan) (all []presets.Preset) {
	for _, name := range slices.Concat(p.Presets, p.Expect.Survives) {
		preset, err := presets.Parse(name)
		if _, listed := presets.Find(preset.Name); err != nil || listed {
			continue
		}
		if !slices.ContainsFunc(all, func(other presets.Preset) bool { return other.Name == preset.Name }) {
			all = append(all, preset)
		}
	}
	return all
}
