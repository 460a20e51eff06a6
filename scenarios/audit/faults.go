package audit

import (
	"fmt"
	"slices"
	"time"

	"github.com/halfopen-lab/halfopen/fixtures/presets"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	"github.com/halfopen-lab/halfopen/scenarios"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// fault is what a trial does to its connection.
type fault struct {
	name string
	role role
	busy bool // the program has data under way when it happens (underway.go)
	// dead reports that the peer cannot be reached afterwards, whatever the program
	// believes.
	dead bool
	// silent reports that nothing comes from the peer's side any more, not even from a kernel;
	// resets, that the next packet that the program sends is answered by RST. Both are for what is
	// derived where a trial is not watched for long enough.
	silent, resets bool
	// announced reports that the peer's kernel announces the fault: durations count from
	// the fault then, and otherwise from when the peer was last heard.
	announced bool
	// passing reports that it ends connections, and a client that connects again finds its server.
	passing bool
	// impairs reports that the path goes on working, worse than before: data that is under way
	// is asked for afterwards.
	impairs bool
	// answers reports that a router answers the program's data, where other faults leave it
	// unanswered.
	answers bool
	// hinder keeps a client from connecting, and then there is no connection that anything could
	// happen to; nil: the client connects.
	hinder   func(*trial) error
	topology harness.Topology // of the lab; nil: harness.Firewalled

	before func(*trial)       // happens before there is a connection; nil: nothing
	strike func(*trial) error // nil: nothing
	then   func(*trial) error // happens a while after; nil: nothing
	while  time.Duration      // also how long strike waits, if it waits
	watch  time.Duration      // how long the connection is watched; zero: Request.Watch
	// idle is the idle timeout of the firewall; zero: none. A connection that is never
	// silent for so long is watched only for twice that time.
	idle time.Duration
	// picksUp reports that the firewall takes the next packet of a flow that it has forgotten for
	// a new flow: the connection goes on.
	picksUp bool
}

// role is what the answer makes of a trial.
type role int

// The roles. The zero value is a row of the answer's faults.
const (
	row     role = iota
	quiet        // shows what the program does by itself
	preset       // a middlebox that the user has named
	remedy       // tries the advised settings
	variant      // tries other settings
)

// quietConnection is the trial to whose connection nothing happens.
var quietConnection = fault{name: QuietConnection, role: quiet}

// QuietConnection is the name of the trial to whose connection nothing happens. In Request.Only it
// stands for that trial alone; every audit makes it. QuietCapture is the file of its packets in a
// report.
const (
	QuietConnection = "quiet connection"
	QuietCapture    = captures + "/00-quiet-connection.pcapng"
)

// hostPoweredOff stands for every path that has gone silent.
var hostPoweredOff = scenarios.PowerOff{}.Title()

const (
	// rebootTime is how long a rebooting host is off.
	rebootTime = time.Minute
	// restartTime is how long a program is away that is started again.
	restartTime = 10 * time.Second
)

// byDefault are the faults that an audit measures unless it is limited to some: those of the
// detection matrix that can be told apart from outside, and those that only a whole program
// shows. To an idle program a path that drops packets, in one direction or both, is what a
// host is that lost power.
func (r Request) byDefault() []fault {
	if r.Protocol == SCTP {
		return r.named(bySCTPDefault)
	}
	faults := []fault{
		r.faultOf(scenarios.ProcessKilled{}, answer.Idle),
		r.faultOf(scenarios.ProcessRestarted{Away: restartTime}, answer.Idle),
		r.faultOf(scenarios.HalfClose{}, answer.Idle),
		r.faultOf(scenarios.ProcessStopped{}, answer.Idle),
		r.faultOf(scenarios.PowerOff{}, answer.Idle),
		r.faultOf(scenarios.PowerOff{}, answer.Busy),
		r.faultOf(scenarios.PowerOffFrozen{}, answer.Idle),
		r.faultOf(scenarios.Reboot{Off: rebootTime}, answer.Idle),
	}
	for _, then := range []firewall.AfterExpiry{firewall.SilentDrop, firewall.ResetSender, firewall.ResetBoth} {
		faults = append(faults, r.faultOf(scenarios.IdleTimeout{After: scenarios.FirewallTimeout, Then: then}, answer.Idle))
	}
	return faults
}

// faultOf returns what a trial does for a fault under a load.
func (r Request) faultOf(named scenarios.Named, load string) fault {
	f := strikes(named)
	if r.Protocol == SCTP {
		f, _ = strikesAssociation(named)
	}
	f.name = named.Title()
	f.busy = load == answer.Busy
	return f
}

// strikes returns how a trial makes a fault happen to an idle connection.
func strikes(named scenarios.Named) fault {
	switch f := named.(type) {
	case scenarios.ProcessKilled:
		return fault{dead: true, announced: true, strike: (*trial).killPeer}
	case scenarios.ProcessRestarted:
		return fault{dead: true, announced: true, strike: (*trial).killPeer, then: (*trial).restartProcess, while: f.Lasts()}
	case scenarios.HalfClose:
		return fault{announced: true, strike: (*trial).halfClose}
	case scenarios.ProcessStopped:
		return fault{dead: true, strike: (*trial).stopPeer}
	case scenarios.PeerResets:
		return fault{dead: true, passing: true, announced: true, while: f.After, strike: func(t *trial) error { return t.resetAfter(f.After) }}
	case scenarios.ForgedReset:
		return fault{dead: f.Number == scenarios.Exact, passing: f.Number == scenarios.Exact, announced: true, strike: func(t *trial) error { return t.forgeReset(f.Number) }}
	case scenarios.PowerOff:
		return fault{dead: true, silent: true, strike: (*trial).powerOff}
	case scenarios.PowerOffFrozen:
		return fault{dead: true, silent: true, strike: (*trial).powerOffFrozen}
	case scenarios.Reboot:
		return fault{dead: true, resets: true, strike: (*trial).powerOff, then: (*trial).powerOn, while: f.Lasts()}
	case scenarios.Outage:
		return fault{strike: applying(f), then: healing(f), while: f.Lasts()}
	case scenarios.IdleTimeout:
		return fault{idle: f.After, silent: f.Then == firewall.SilentDrop, resets: f.Then == firewall.ResetSender, picksUp: f.Then == firewall.PickUp, before: func(t *trial) { t.lab.Apply(f) }}
	case scenarios.NATRebinding:
		return fault{dead: true, topology: harness.NATed, strike: applying(f)}
	case scenarios.PathMTU, scenarios.ImpairedPath:
		return fault{impairs: true, strike: applying(named)}
	case scenarios.ICMPError, scenarios.NeighbourLost:
		return fault{dead: true, answers: true, strike: applying(named)}
	case scenarios.SilentDrop:
		return fault{dead: true, silent: true, strike: applying(f)}
	case scenarios.AcceptQueueFull:
		return fault{dead: true, hinder: (*trial).fillAcceptQueue}
	case scenarios.ServerAway:
		return fault{dead: true, hinder: applying(f)}
	}
	return fault{dead: true, strike: applying(named)} // the path is gone for good
}

func applying(f harness.Fault) func(*trial) error {
	return func(t *trial) error { t.lab.Apply(f); return nil }
}

func healing(f harness.Healer) func(*trial) error {
	return func(t *trial) error { t.lab.Heal(f); return nil }
}

// carriesData reports whether a fault is measured with data under way. Others do to such a
// connection what they do to an idle one, or meet none.
func carriesData(named scenarios.Named) bool {
	switch named.(type) {
	case scenarios.PowerOff, scenarios.Reboot, scenarios.SilentDrop, scenarios.Outage, scenarios.CableOut, scenarios.NeighbourLost, scenarios.ICMPError, scenarios.PathMTU, scenarios.ImpairedPath:
		return true
	}
	return false
}

// title returns the name of the fault's row.
func (f fault) title() string {
	if f.busy {
		return answer.Title(f.name, answer.Busy)
	}
	return f.name
}

// middlebox returns the fault of a preset. What it does to an idle connection shows within
// twice its idle timeout.
func middlebox(p presets.Preset) fault {
	return fault{
		name: p.Name, role: preset, idle: p.Idle, picksUp: p.AfterExpiry == presets.PickUp,
		before: func(t *trial) { t.lab.Apply(scenarios.Middlebox{Preset: p}) },
	}
}

// remedies returns the trials of the advised settings: against a firewall that forgets
// early, and against a host that vanishes.
func remedies() []fault {
	early := scenarios.IdleTimeout{After: shortestTimeout(), Then: firewall.SilentDrop}
	const advised = "advised settings, "
	return []fault{
		{name: advised + early.Title(), role: remedy, watch: 3 * early.After,
			before: func(t *trial) { t.lab.Apply(early) }, strike: (*trial).adviseSettings},
		{name: advised + hostPoweredOff, role: remedy, dead: true, watch: 2 * advisedSettings().Death().Latest,
			strike: (*trial).adviseAndPowerOff},
	}
}

// named returns the faults with these titles, each once, in their order. It leaves out what is
// no fault: Check has reported it.
func (r Request) named(titles []string) (faults []fault) {
	for _, title := range titles {
		if n, load, err := answer.ParseTitle(title); err == nil {
			faults = append(faults, r.faultOf(n, load))
		}
	}
	return faults
}

// cannotMeasure returns why the fault with a title is not measured for the request; nil: it is.
func (r Request) cannotMeasure(title string) error {
	n, load, err := answer.ParseTitle(title)
	if err != nil {
		return err
	}
	f := r.faultOf(n, load)
	_, onSCTP := strikesAssociation(n)
	switch {
	case r.Protocol == SCTP && !onSCTP:
		return fmt.Errorf("%q is not measured over SCTP: what is, 'halfopen audit --protocol sctp' measures", title)
	case r.Protocol != SCTP && n == scenarios.HeartbeatsDropped{}:
		return fmt.Errorf("%q is measured over SCTP (--protocol sctp): TCP has none", title)
	case r.Protocol != SCTP && n == scenarios.OneOfTwoPaths{}:
		return fmt.Errorf("%q is measured over SCTP (--protocol sctp): a TCP connection has one path", title)
	case f.busy && !carriesData(n):
		return fmt.Errorf("%q is not measured with data under way: leave out \", %s\"", title, answer.Busy)
	case f.busy && !r.asks() && !r.betweenPrograms():
		return fmt.Errorf("%q needs something that the program answers (--conversation or --send)", title)
	case f.hinder != nil && r.UnderTest != answer.Client:
		return fmt.Errorf("%q is measured where a client is under test: a server does not connect (--under-test client)", title)
	}
	return nil
}

// once returns the faults without those that another before them has the title of.
func once(faults []fault) []fault {
	var seen []string
	return slices.DeleteFunc(faults, func(f fault) bool {
		if slices.Contains(seen, f.title()) {
			return true
		}
		seen = append(seen, f.title())
		return false
	})
}
