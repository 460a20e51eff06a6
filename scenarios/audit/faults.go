package audit

import (
	"fmt"
	"time"

	"github.com/halfopen-lab/halfopen/fixtures/presets"
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
	// announced reports that the peer's kernel announces the fault: durations count from
	// the fault then, and otherwise from when the peer was last heard.
	announced bool

	before func(*trial)       // happens before there is a connection; nil: nothing
	strike func(*trial) error // nil: nothing
	then   func(*trial) error // happens a while after; nil: nothing
	while  time.Duration
	watch  time.Duration // how long the connection is watched; zero: Request.Watch
	// idle is the idle timeout of the firewall; zero: none. A connection that is never
	// silent for so long is watched only for twice that time.
	idle time.Duration
}

// role is what the answer makes of a trial.
type role int

// The roles. The zero value is a row of the answer's faults.
const (
	row    role = iota
	quiet       // shows what the program does by itself
	preset      // a middlebox that the user has named
	remedy      // tries the advised settings
)

// quietConnection is the trial to whose connection nothing happens.
var quietConnection = fault{name: "quiet connection", role: quiet}

// hostPoweredOff stands for every path that has gone silent.
var hostPoweredOff = scenarios.PowerOff{}.Title()

// rebootTime is how long a rebooting host is off.
const rebootTime = time.Minute

// faults returns the faults of the detection matrix that can be told apart from outside,
// and faults that only a whole program shows. To an idle program a path that drops
// packets, in one direction or both, is what a host that lost power is.
func faults() []fault {
	return []fault{
		{name: scenarios.ProcessKilled{}.Title(), dead: true, announced: true, strike: (*trial).killPeer},
		{name: "FIN, and the peer reads on", announced: true, strike: (*trial).halfClose},
		{name: scenarios.ProcessStopped{}.Title(), dead: true, strike: (*trial).stopPeer},
		{name: hostPoweredOff, dead: true, strike: (*trial).powerOff},
		{name: hostPoweredOff, busy: true, dead: true, strike: (*trial).powerOff},
		{name: hostPoweredOff + ", program frozen", dead: true, strike: (*trial).powerOffFrozen},
		{name: fmt.Sprintf("host rebooted, off for %.0f s", rebootTime.Seconds()), dead: true, strike: (*trial).powerOff, then: (*trial).powerOn, while: rebootTime},
		forgetting(firewall.SilentDrop),
		forgetting(firewall.ResetSender),
		forgetting(firewall.ResetBoth),
	}
}

// title returns the name of the fault's row.
func (f fault) title() string {
	if f.busy {
		return answer.Title(f.name, answer.Busy)
	}
	return f.name
}

// forgetting returns the fault of a firewall that forgets idle flows.
func forgetting(then firewall.AfterExpiry) fault {
	timeout := scenarios.IdleTimeout{After: scenarios.FirewallTimeout, Then: then}
	return fault{name: timeout.Title(), idle: timeout.After, before: func(t *trial) { t.lab.Apply(timeout) }}
}

// middlebox returns the fault of a preset. What it does to an idle connection shows within
// twice its idle timeout.
func middlebox(p presets.Preset) fault {
	return fault{
		name: p.Name, role: preset, watch: 2*p.Idle + settleTime,
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
