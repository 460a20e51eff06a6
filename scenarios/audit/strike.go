package audit

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/box"
	"github.com/halfopen-lab/halfopen/harness/timeline"
	"github.com/halfopen-lab/halfopen/scenarios"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// step does what no fault of package scenarios does, and records it in the timeline.
func (t *trial) step(what string, do func() error) error {
	t.lab.Timeline().Addf("audit", timeline.Step, "%s", what)
	if err := do(); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// killPeer kills the peer; its kernel closes the connection for it.
func (t *trial) killPeer() error {
	if t.peer != nil {
		t.lab.Apply(scenarios.ProcessKilled{Program: t.peer})
		return nil
	}
	return t.step("the peer's process is killed: its kernel closes its sockets", t.fixture.end)
}

// resetAfter lets the peer abort the connection once it has carried no data for a time. It waits
// for that as long as a fault is watched, and strikes no connection that is over.
func (t *trial) resetAfter(idle time.Duration) error {
	for latest := time.Now().Add(idle + t.plan.Watch); ; {
		quiet := time.Since(t.lastData())
		if quiet >= idle {
			break
		}
		if time.Now().After(latest) {
			return fmt.Errorf("the connection was never without data for %v: the peer had no reason to reset it", answer.Seconds(idle))
		}
		t.rest(idle - quiet)
		if t.story().over() {
			return nil
		}
		if t.ctx.Err() != nil {
			return errEndedEarly
		}
	}
	t.struck = time.Now()
	for _, c := range t.met {
		c.heard = t.struck // the peer's kernel announces it
	}
	if t.peer == nil {
		for _, h := range t.fixture.open() {
			t.lab.Apply(scenarios.PeerResets{By: h.Conn, After: idle})
		}
		return nil
	}
	return t.step("the peer's kernel aborts the connection with RST (ss -K)", func() error {
		var errs []error
		for _, c := range t.met {
			errs = append(errs, t.far.TableEntry(t.far.AddressPort(c.remote), t.near.AddressPort(c.local)).Destroy())
		}
		return errors.Join(errs...)
	})
}

// forgeReset lets the firewall reset the program's end of each connection in the peer's name.
func (t *trial) forgeReset(number scenarios.SequenceNumber) error {
	for _, c := range t.met {
		to := scenarios.Receiver{Name: "the program's end", Host: t.near, Local: t.near.AddressPort(c.local), Remote: t.far.AddressPort(c.remote)}
		t.lab.Apply(scenarios.ForgedReset{To: to, Number: number})
	}
	return nil
}

// lastData returns when the connection last carried data, or was made.
func (t *trial) lastData() time.Time {
	last := t.began
	for _, p := range t.packets() {
		if p.Length > 0 {
			last = p.At
		}
	}
	return last
}

// stopPeer stops the peer, whose kernel goes on answering.
func (t *trial) stopPeer() error {
	if t.peer == nil {
		return t.step("the peer does not read any more", func() error { t.stopReading(); return nil })
	}
	return t.step("the peer is stopped (SIGSTOP)", func() error { return box.Signal(t.peer.PID(), unix.SIGSTOP) })
}

// powerOffFrozen stops the program under test, so that only its kernel acts, and takes the
// power from the peer's host.
func (t *trial) powerOffFrozen() error {
	freeze := func() error { return box.Signal(t.program.PID(), unix.SIGSTOP) }
	if err := t.step("the program under test is frozen (SIGSTOP)", freeze); err != nil {
		return err
	}
	return t.powerOff()
}

// adviseSettings sets the advised settings on the program's own sockets, from outside.
func (t *trial) adviseSettings() error {
	k := advisedSettings()
	return t.step("the advised settings are set on the program's sockets", func() error {
		for _, of := range t.met {
			c, err := t.borrowSocket(of)
			if err != nil {
				return err
			}
			err = errors.Join(c.SetKeepalive(k.Idle, k.Interval, k.Count), c.SetUserTimeout(k.UserTimeout), c.Close())
			if err != nil {
				return err
			}
			// Keepalive that is switched on now counts from now; keepalive that was on counts from
			// when the peer was last heard (tcp_set_keepalive and tcp_sock_set_keepidle, net/ipv4).
			if s := of.settings; s.err == nil && !s.Keepalive {
				of.heard = time.Now()
			}
		}
		return nil
	})
}

func (t *trial) adviseAndPowerOff() error {
	if err := t.adviseSettings(); err != nil {
		return err
	}
	return t.powerOff()
}
