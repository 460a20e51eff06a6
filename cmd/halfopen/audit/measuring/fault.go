package measuring

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"

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

	before func(*trial) // before there is a connection
	strike func(*trial)
	then   func(*trial) // a while after
	while  time.Duration
}

// nothing is the trial in which nothing happens: how the program is by itself.
const nothing = "nothing"

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
	{name: nothing},
	{name: "process killed", dead: true, strike: (*trial).killPeer},
	{name: "FIN, and the peer reads on", strike: (*trial).halfClose},
	{name: "process stopped", strike: (*trial).stopPeer},
	{name: "host powered off", dead: true, strike: (*trial).powerOff},
	{name: "host powered off, program frozen", dead: true, before: nil, strike: func(t *trial) { t.freeze(); t.powerOff() }},
	{name: "host powered off", busy: true, dead: true, strike: (*trial).unanswered, then: (*trial).powerOff, while: time.Second},
	{name: fmt.Sprintf("host rebooted, off for %.0f s", rebooting.Seconds()), dead: true, strike: (*trial).powerOff, then: (*trial).powerOn, while: rebooting},
	forgetting("silent", firewall.SilentDrop),
	forgetting("RST to the sender", firewall.ResetSender),
	forgetting("RST both ways", firewall.ResetBoth),
}

func forgetting(how string, then firewall.AfterExpiry) fault {
	return fault{
		name:   fmt.Sprintf("idle timeout of %.0f s, %s", idleTimeout.Seconds(), how),
		before: func(t *trial) { t.lab.Apply(scenarios.IdleTimeout{After: idleTimeout, Then: then}) },
	}
}

// step does something that is no fault of package scenarios, and records it.
func (t *trial) step(what string, do func() error) {
	t.lab.Timeline.Addf("audit", timeline.Step, "%s", what)
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
	t.step("the peer's process is killed: its kernel closes the connection", t.conn.Conn.Close)
}

func (t *trial) halfClose() {
	t.step("the peer says FIN, and goes on reading", func() error { return t.conn.Shutdown(unix.SHUT_WR) })
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
