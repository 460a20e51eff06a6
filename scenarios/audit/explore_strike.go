package audit

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/box"
	"github.com/halfopen-lab/halfopen/harness/timeline"
	"github.com/halfopen-lab/halfopen/scenarios"
	"github.com/halfopen-lab/halfopen/scenarios/explore"
)

// blow is how a run makes a fault happen at an instant. What takes long is prepared before the
// programs start; strike and heal take some system calls, of 4 µs each.
type blow struct {
	explore.Strike
	prepare      func(*exploration) error // nil: nothing is to be prepared
	strike, heal func(*exploration) error // a heal of nil: the fault is over at once, or cannot be healed
	// silent reports that nothing passes, or comes from the peer, as long as it is not healed.
	silent bool
	// passing reports that the fault is over at once.
	passing bool
}

// blows returns how the strikes of a run are made.
func (r Request) blows(run explore.Run) (all []blow, err error) {
	for _, s := range run.Strikes {
		b, err := r.blow(s)
		if err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	return all, nil
}

// CheckStrikes reports, in one line, the first of some faults that cannot strike the request's
// programs.
func (r Request) CheckStrikes(titles []string) error {
	r = r.completed()
	for _, title := range titles {
		if _, err := r.blow(explore.Strike{Fault: title}); err != nil {
			return fmt.Errorf("%w (--fault)", err)
		}
	}
	return nil
}

// blow returns how a strike is made.
func (r Request) blow(s explore.Strike) (b blow, err error) {
	named, err := scenarios.Parse(s.Fault)
	if err != nil {
		return blow{}, err
	}
	if e, ok := named.(scenarios.Ending); ok && s.Healed == 0 {
		s.Healed = e.Lasts()
	}
	switch f := named.(type) {
	case scenarios.SilentDrop:
		b = dropping(f.Direction)
	case scenarios.Outage:
		b = dropping(scenarios.BothWays)
	case scenarios.CableOut:
		b = blow{silent: true,
			prepare: func(e *exploration) error { return e.cable(f).prepare() },
			strike:  func(e *exploration) error { return e.cable(f).pull() },
			heal:    func(e *exploration) error { return f.Heal(e.lab) }}
	case scenarios.ProcessKilled, scenarios.ProcessRestarted:
		b = blow{strike: (*exploration).kill, heal: (*exploration).restart}
	case scenarios.ProcessStopped:
		b = blow{strike: (*exploration).stop, heal: (*exploration).resume}
	case scenarios.PowerOff, scenarios.Reboot:
		b = blow{silent: true, strike: (*exploration).cutPower, heal: (*exploration).boot}
	case scenarios.HalfClose:
		b = blow{passing: true, strike: func(e *exploration) error { e.met = e.established(); return e.halfClose() }}
	case scenarios.ResetBothEnds:
		b = blow{passing: true, strike: func(e *exploration) error { return f.Apply(e.lab) }}
	case scenarios.StateFlush:
		b = blow{passing: true,
			prepare: func(e *exploration) error { return e.lab.Firewall().Policy(f.Then) },
			strike:  func(e *exploration) error { return e.lab.Firewall().Flush() }}
	default:
		return blow{}, fmt.Errorf("%q does not strike at an instant: choose another fault", named.Title())
	}
	if b.heal == nil && s.Healed > 0 {
		return blow{}, fmt.Errorf("%q cannot be healed: leave the time out", named.Title())
	}
	b.Strike = s
	return b, nil
}

// dropping returns the blow of a firewall that drops what comes from one side or both: its
// kernel does not forward what arrives on that link, and tells nobody (net/ipv4/route.c,
// ip_error). A rule of iptables would take milliseconds.
func dropping(d scenarios.Direction) blow {
	set := func(value string) func(*exploration) error {
		return func(e *exploration) error {
			var errs []error
			for _, f := range e.forwarding(d) {
				_, err := f.WriteAt([]byte(value), 0)
				errs = append(errs, err)
			}
			return errors.Join(errs...)
		}
	}
	return blow{silent: true, prepare: (*exploration).openForwarding, strike: set("0\n"), heal: set("1\n")}
}

// openForwarding opens the settings of the firewall's two links that say whether what arrives
// there is forwarded.
func (e *exploration) openForwarding() error {
	if e.switches[0] != nil {
		return nil
	}
	router := e.lab.Hosts()[1]
	return router.Do(func() error {
		for i, from := range []*harness.Host{e.lab.Client, e.lab.Server} {
			f, err := os.OpenFile("/proc/sys/net/ipv4/conf/"+router.LinkTo(from)+"/forwarding", os.O_WRONLY, 0)
			if err != nil {
				return fmt.Errorf("finding the switch of the firewall's link: %w", err)
			}
			e.switches[i] = f
		}
		return nil
	})
}

func (e *exploration) forwarding(d scenarios.Direction) []*os.File {
	switch d {
	case scenarios.TowardsServer:
		return e.switches[:1]
	case scenarios.TowardsClient:
		return e.switches[1:]
	}
	return e.switches[:]
}

// cable is the router's end of a cable.
type cable struct {
	router *harness.Host
	end    *harness.Host
	lab    *harness.Lab
}

func (e *exploration) cable(f scenarios.CableOut) cable {
	end := e.lab.Client
	if f.At == scenarios.ServersEnd {
		end = e.lab.Server
	}
	return cable{e.lab.Hosts()[1], end, e.lab}
}

// prepare lets the router drop what it cannot deliver, as scenarios.CableOut does.
func (c cable) prepare() error {
	var errs []error
	for _, prefix := range c.lab.Prefixes() {
		errs = append(errs, c.router.Links().Blackhole(prefix))
	}
	return errors.Join(errs...)
}

func (c cable) pull() error { return c.router.Links().Down(c.router.LinkTo(c.end)) }

// kill kills the peer; its kernel closes its sockets.
func (e *exploration) kill() error {
	if e.peer != nil {
		return e.peer.Signal(unix.SIGKILL)
	}
	e.asker.rest()
	return e.fixture.end()
}

// restart starts the peer again.
func (e *exploration) restart() error {
	if e.peer == nil && e.asker != nil {
		e.asker.ask(e.life)
		return nil
	}
	return e.restartPeer()
}

// stop stops the peer, whose kernel goes on answering.
func (e *exploration) stop() error {
	if e.peer != nil {
		return box.Signal(e.peer.PID(), unix.SIGSTOP)
	}
	e.fixture.pause()
	return nil
}

// resume lets the peer go on.
func (e *exploration) resume() error {
	if e.peer != nil {
		return box.Signal(e.peer.PID(), unix.SIGCONT)
	}
	e.fixture.resume()
	return nil
}

// cutPower takes the power from the peer's host.
func (e *exploration) cutPower() error {
	e.asker.rest()
	e.stopReading()
	return e.far.PowerOff()
}

// boot boots the peer's host, and starts there again what a boot starts.
func (e *exploration) boot() error {
	if err := e.far.PowerOn(); err != nil {
		return err
	}
	if err := e.restartBeside(e.plan.UnderTest.Other()); err != nil {
		return err
	}
	return e.restart()
}

// actsOf returns what is done in a run, and when.
func (e *exploration) actsOf(blows []blow) (all []harness.Act) {
	step := func(title string, do func(*exploration) error) func() error {
		return func() error {
			e.lab.Timeline().Addf("explore", timeline.Step, "%s", title)
			return do(e)
		}
	}
	for _, b := range blows {
		all = append(all, harness.Act{At: b.At, What: b.Fault, Do: step(b.Fault, b.strike)})
		if b.Healed > 0 && b.heal != nil {
			all = append(all, harness.Act{At: b.At + b.Healed, What: "healed: " + b.Fault, Do: step("healed: "+b.Fault, b.heal)})
		}
	}
	return all
}

// unhealed reports whether a fault of a run lasts until its end.
func unhealed(blows []blow) bool {
	for _, b := range blows {
		if !b.passing && b.Healed == 0 {
			return true
		}
	}
	return false
}

// silenced reports whether nothing passes at the end of a run.
func silenced(blows []blow) bool {
	for _, b := range blows {
		if b.silent && b.Healed == 0 {
			return true
		}
	}
	return false
}
