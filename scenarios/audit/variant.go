package audit

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/fixtures/presets"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// Variant is settings for the program's own sockets, set from outside, and what its connections
// meet then.
type Variant struct {
	Name      string           // of its row, answer.Answer.Varied
	Keepalive oracle.Keepalive // without an idle time keepalive is switched off
	// Preset is the middlebox between the two sides (presets.Parse). Without one, Forgets and Then
	// are those of a firewall, and a zero Forgets means that there is none.
	Preset   string
	Forgets  time.Duration
	Then     presets.AfterExpiry `json:",omitempty"`
	PowerOff bool                // the peer's host loses power; false: nothing happens
	Watch    time.Duration
}

// fault returns what the trial of a variant does.
func (v Variant) fault(underTest answer.Side) fault {
	f := fault{name: v.Name, role: variant, watch: v.Watch, dead: v.PowerOff, silent: v.PowerOff, strike: v.strike}
	p, err := presets.Parse(v.Preset)
	if err != nil {
		p = presets.Preset{Name: "a firewall", Idle: v.Forgets, AfterExpiry: v.Then}
	}
	if p.Idle > 0 {
		if !v.PowerOff { // a flow that unanswered probes keep is watched to the end
			f.idle = p.Idle
		}
		f.before = func(t *trial) { t.lab.Apply(scenarios.Middlebox{Preset: p}) }
		f.picksUp = p.AfterExpiry == presets.PickUp || p.AfterExpiry == presets.PickUpOutbound && underTest == answer.Client
	}
	return f
}

// refreshing is how long the connection probes once a second, so that the peer's answer restarts
// the timers of both the program's kernel and the firewall at one instant.
const refreshing = 1500 * time.Millisecond

// strike sets the settings on the program's sockets.
func (v Variant) strike(t *trial) error {
	err := t.step("the program's sockets probe once", func() error {
		return t.onSockets(func(c *sock.Conn) error { return c.SetKeepalive(time.Second, time.Second, oracle.MaxKeepCount) })
	})
	if err != nil {
		return err
	}
	if err := t.wait(refreshing); err != nil {
		return err
	}
	for _, of := range t.met {
		of.heard = t.lastHeard(of, time.Now())
	}
	err = t.step("the settings are set on the program's sockets", func() error {
		return t.onSockets(func(c *sock.Conn) error {
			if v.Keepalive.Idle == 0 {
				return errors.Join(c.SetOption(unix.SOL_SOCKET, unix.SO_KEEPALIVE, 0), c.SetUserTimeout(v.Keepalive.UserTimeout))
			}
			// The idle time comes last: setting it sets the timer.
			return errors.Join(c.SetKeepalive(0, v.Keepalive.Interval, v.Keepalive.Count), c.SetKeepalive(v.Keepalive.Idle, 0, 0), c.SetUserTimeout(v.Keepalive.UserTimeout))
		})
	})
	if err != nil || !v.PowerOff {
		return err
	}
	return t.powerOff()
}

// onSockets does something with each of the program's sockets that the trial is about.
func (t *trial) onSockets(do func(*sock.Conn) error) error {
	for _, of := range t.met {
		c, err := t.borrowSocket(of)
		if err != nil {
			return err
		}
		if err := errors.Join(do(c), c.Close()); err != nil {
			return err
		}
	}
	return nil
}
