package measuring

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/advice"
	"github.com/halfopen-lab/halfopen/fixtures/presets"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	"github.com/halfopen-lab/halfopen/harness/timeline"
	"github.com/halfopen-lab/halfopen/scenarios"
)

// fault is what a trial does to the connection.
type fault struct {
	name string
	busy bool // data is under way from the program when it happens
	// dead says that the peer cannot be reached any more after it, whatever the
	// program believes.
	dead bool
	// announced says that the peer's kernel tells of it: times count from then, and
	// not from when the peer was last heard.
	announced bool
	// byFixture says that only a fixture can be made to do it.
	byFixture bool

	before func(*trial) // before there is a connection
	strike func(*trial)
	then   func(*trial) // a while after
	while  time.Duration
	watch  time.Duration // how long it is looked at; zero: as long as the plan says
	// idle is the idle timeout of the firewall; zero: none. A connection that has kept
	// its flow for twice that long, by never being silent for so long, is not looked at
	// any longer.
	idle time.Duration
	role role
}

// role is what the answer makes of a trial.
type role int

// The roles. The zero value is a row of the faults.
const (
	row         role = iota
	undisturbed      // how the program is by itself
	preset           // a middlebox that the user has named
	remedy           // the settings that are advised, tried
)

// nothing is the trial in which nothing happens.
var nothing = fault{name: "nothing", role: undisturbed}

// hostPoweredOff is the fault that stands for every path that has gone silent.
const hostPoweredOff = "host powered off"

// idleTimeout is that of the firewalls in the faults, and rebooting how long a host is
// off.
const (
	idleTimeout = 350 * time.Second
	rebooting   = time.Minute
)

// faults are those of the detection matrix that can be told apart from outside, under
// its names, and those that only a whole program shows. A path that drops everything,
// or one direction of it, is to an idle program what a host is that lost power.
var faults = []fault{
	{name: "process killed", dead: true, announced: true, strike: (*trial).killPeer},
	{name: "FIN, and the peer reads on", announced: true, byFixture: true, strike: (*trial).halfClose},
	{name: "process stopped", dead: true, strike: (*trial).stopPeer},
	{name: hostPoweredOff, dead: true, strike: (*trial).powerOff},
	{name: hostPoweredOff, busy: true, byFixture: true, dead: true, strike: (*trial).unanswered, then: (*trial).powerOff, while: time.Second},
	{name: "host powered off, program frozen", dead: true, strike: func(t *trial) { t.freeze(); t.powerOff() }},
	{name: fmt.Sprintf("host rebooted, off for %.0f s", rebooting.Seconds()), dead: true, strike: (*trial).powerOff, then: (*trial).powerOn, while: rebooting},
	forgetting("silent", firewall.SilentDrop),
	forgetting("RST to the sender", firewall.ResetSender),
	forgetting("RST both ways", firewall.ResetBoth),
}

func forgetting(how string, then firewall.AfterExpiry) fault {
	return fault{
		name: fmt.Sprintf("idle timeout of %.0f s, %s", idleTimeout.Seconds(), how), idle: idleTimeout,
		before: func(t *trial) { t.lab.Apply(scenarios.IdleTimeout{After: idleTimeout, Then: then}) },
	}
}

// middlebox is a preset that is run. What it does shows when it has had the time twice.
func middlebox(p presets.Preset) fault {
	return fault{
		name: p.Name, role: preset, watch: 2*p.Idle + leftAlone,
		before: func(t *trial) { t.lab.Apply(scenarios.Middlebox{Preset: p}) },
	}
}

// remedies try the advised settings against a firewall that forgets early, and a host
// that vanishes.
func remedies() []fault {
	return []fault{
		{name: fmt.Sprintf("advised settings, idle timeout of %.0f s, silent", advice.Forgets().Seconds()), role: remedy, watch: 3 * advice.Forgets(),
			before: func(t *trial) {
				t.lab.Apply(scenarios.IdleTimeout{After: advice.Forgets(), Then: firewall.SilentDrop})
			},
			strike: (*trial).advise},
		{name: "advised settings, host powered off", role: remedy, dead: true, watch: 2 * advice.Settings().Death().Latest,
			strike: func(t *trial) { t.advise(); t.powerOff() }},
	}
}

// step does something that is no fault of package scenarios, and records it.
func (t *trial) step(what string, do func() error) {
	t.lab.Timeline().Addf("audit", timeline.Step, "%s", what)
	if err := do(); err != nil {
		t.Fatalf("%s: %w", what, err)
	}
}

// killPeer is kill -9 of the peer; its kernel closes the connection for it.
func (t *trial) killPeer() {
	if t.peer != nil {
		t.lab.Apply(scenarios.ProcessKilled{Program: t.peer})
		return
	}
	t.stopReading()
	t.step("the peer's process is killed: its kernel closes the connection", t.conn.Socket.Close)
}

func (t *trial) halfClose() {
	t.step("the peer says FIN, and goes on reading", func() error { return t.conn.Socket.Shutdown(unix.SHUT_WR) })
}

// stopPeer is a peer that does nothing any more, and whose kernel goes on answering.
func (t *trial) stopPeer() {
	if t.peer == nil {
		t.step("the peer does not read any more", func() error { t.stopReading(); return nil })
		return
	}
	t.step("the peer is stopped (SIGSTOP)", func() error { return signal(t.peer, unix.SIGSTOP) })
}

func (t *trial) powerOff() {
	if t.conn != nil {
		t.stopReading()
	}
	t.lab.Apply(scenarios.PowerOff{Host: t.far})
}

func (t *trial) powerOn() { t.lab.Heal(scenarios.PowerOff{Host: t.far}) }

// freeze stops the program under test, so that only its kernel speaks.
func (t *trial) freeze() {
	t.step("the program under test is frozen (SIGSTOP)", func() error { return signal(t.program, unix.SIGSTOP) })
}

// unanswered is a path that does not carry what the program sends, and a request that
// makes it send something.
func (t *trial) unanswered() {
	direction := scenarios.TowardsClient
	if t.near == t.lab.Client {
		direction = scenarios.TowardsServer
	}
	t.lab.Apply(scenarios.SilentDrop{Direction: direction})
	t.step("the peer sends a request", func() error { return t.say() })
}

// advise sets the advised values on the program's own socket, from outside.
func (t *trial) advise() {
	t.step("the advised settings are set on the program's socket", func() error {
		c, err := t.borrow()
		if err != nil {
			return err
		}
		defer func() { _ = c.Close() }()
		k := advice.Settings()
		return errors.Join(c.SetKeepalive(k.Idle, k.Interval, k.Count), c.SetUserTimeout(k.UserTimeout))
	})
	// Keepalive that is switched on now counts from now; one that was on, from when the
	// peer was last heard (tcp_set_keepalive and tcp_sock_set_keepidle, net/ipv4).
	if s := t.settings; s.err == nil && !s.Keepalive {
		t.heard = time.Now()
	}
}
