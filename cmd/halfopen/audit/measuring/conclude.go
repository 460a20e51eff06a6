package measuring

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/advice"
	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/answer"
	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/plan"
	"github.com/halfopen-lab/halfopen/fixtures/presets"
	"github.com/halfopen-lab/halfopen/harness/oracle"
)

// conclude makes the answer of the outcomes. The first one is the trial in which
// nothing happened.
func conclude(p *plan.Plan, outcomes []*outcome) *answer.Answer {
	program := p.Program(p.UnderTest)
	a := &answer.Answer{
		Program: answer.Program{Side: string(p.UnderTest), Command: program.Text, Package: program.Package, Port: p.Port, Peer: "a fixture"},
		Kernel:  kernel(), RealTime: p.RealTime,
		Watched: answer.Of(p.Watch),
	}
	other := p.Program(p.UnderTest.Other())
	if other != nil {
		a.Program.Peer = other.Text
	}
	quiet := outcomes[0]
	if quiet.err != nil {
		a.Trouble = oneLine(quiet.err)
		return a
	}
	a.Program.Loopback, a.Program.Ready = quiet.trial.loopback, answer.Of(quiet.trial.took)
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
	run := map[string]answer.Preset{}
	var tried []answer.Fault
	for _, o := range outcomes {
		f := o.judge(a.Wire)
		switch o.trial.role {
		case row:
			a.Faults = append(a.Faults, f)
		case preset:
			run[f.Name] = ran(f)
		case remedy:
			tried = append(tried, f)
		}
	}
	for _, p := range presets.All() {
		if r, ok := run[p.Name]; ok {
			r.Timeout = answer.Seconds(p.Idle)
			a.Presets = append(a.Presets, r)
			continue
		}
		a.Presets = append(a.Presets, behind(p, a.Wire, a.Settings, a.Watched.Duration()))
	}
	switch {
	case other != nil:
		a.Unknown = append(a.Unknown, "what it does with data under way, and when the peer only says FIN: the peer is a program, which nothing makes do so")
	case p.Send == "":
		a.Unknown = append(a.Unknown, "what it does with data under way: it was sent nothing to answer (--send)")
	}
	if p.UnderTest == plan.Server {
		a.Ghosts = ghosts(a.Faults)
	}
	a.Advice = advise(a, tried)
	return a
}

// returning is how often the client of ghosts does.
const returning = time.Minute

// ghosts derives from what became of an idle connection whose client lost power.
func ghosts(faults []answer.Fault) *answer.Ghosts {
	for _, f := range faults {
		if f.Name != hostPoweredOff || f.Load != answer.Idle {
			continue
		}
		g := &answer.Ghosts{Every: answer.Seconds(returning)}
		switch {
		case f.Within > 0:
			return nil
		case f.Verdict == answer.Never || f.Verdict == answer.KernelOnly: // its descriptor stays open
			return g
		case f.Noticed != nil:
			g.Most = oracle.Ghosts(returning, f.Noticed.After.Duration())
			return g
		}
	}
	return nil
}

// ran makes of a trial behind a preset what became of the session.
func ran(f answer.Fault) answer.Preset {
	p := answer.Preset{Name: f.Name, How: answer.RunHere, Capture: f.Capture}
	switch f.Verdict {
	case answer.Alive:
		p.Outcome, p.Why = answer.Survives, "its flow was kept for twice the timeout"
	case answer.ByItself:
		p.Outcome, p.Why = answer.EndsFirst, fmt.Sprintf("the program ends an idle session after %v", f.Noticed.After)
	case answer.Unmeasured:
		p.Outcome, p.Why = answer.Open, f.Trouble
	case answer.Never:
		p.Outcome, p.Why = answer.Dies, "its flow was forgotten, and nobody has noticed"
	default:
		p.Outcome, p.Why = answer.Dies, "its flow was forgotten: "+f.Words()
	}
	return p
}

// advise is what to change; nil where nothing needs to be.
func advise(a *answer.Answer, tried []answer.Fault) *answer.Advice {
	why := ""
	switch {
	case a.Settings == nil || a.Wire.Ended != nil:
		return nil // it does not live long enough, or nobody knows what to change
	case a.Wire.Silence.Lasted.Duration() >= advice.Forgets():
		why = fmt.Sprintf("no packet for %v: middleboxes that forget after %v do", a.Wire.Silence.Lasted, answer.Seconds(advice.Forgets()))
	case a.Misses(hostPoweredOff):
		why = "it does not notice a host that is gone"
	default:
		return nil
	}
	k := advice.Settings()
	system := oracle.Default()
	s := a.Settings
	return &answer.Advice{
		Idle: answer.Seconds(k.Idle), Interval: answer.Seconds(k.Interval), Count: k.Count, UserTimeout: answer.Seconds(k.UserTimeout),
		BySysctl: s.Keepalive && s.Idle.Duration() == system.Idle && s.Interval.Duration() == system.Interval && s.Count == system.Count,
		Why:      why, Tried: tried,
	}
}

func kernel() string {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return "unknown"
	}
	return unix.ByteSliceToString(name.Sysname[:]) + " " + unix.ByteSliceToString(name.Release[:])
}
