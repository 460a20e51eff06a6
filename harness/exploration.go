package harness

import (
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/timeline"
)

// FaultFinder returns the fault with a title, ready to be applied to a lab. Its error says, in one
// line, that there is none, or what the lab lacks.
type FaultFinder func(lab *Lab, title string) (Fault, error)

// faultFinder is that of RegisterFaults.
var faultFinder FaultFinder

// RegisterFaults sets how labs find the faults that strike them when a test is explored: the
// environment has their titles. Package scenarios, which has the faults, calls it.
func RegisterFaults(finder FaultFinder) { faultFinder = finder }

// exploration is what happens to the first lab of an explored test (environment.Exploration).
type exploration struct {
	wanted *environment.Exploration
	lab    *Lab
	clock  *Clock

	stepping sync.Mutex // held while the test takes a step, or a fault strikes
	depth    int        // of steps within steps
}

// labsOpened counts the labs of this process.
var labsOpened atomic.Int32

// explore prepares the exploration of a lab that is built, if the environment asks for it and the
// lab is the first of its process.
func (l *Lab) explore() error {
	number := int(labsOpened.Add(1))
	wanted := environment.Read().Explore
	if wanted == nil {
		return nil
	}
	if number > 1 {
		return leave(func(e *Explored) { e.Labs = number })
	}
	e := &exploration{wanted: wanted, lab: l}
	acts, err := e.acts()
	if err != nil {
		return errors.Join(fmt.Errorf("exploring: %w", err), leave(func(left *Explored) { left.Labs, left.Trouble = 1, err.Error() }))
	}
	firewall := l.First(Firewall) != nil && l.First(NAT) == nil
	if err := leave(func(left *Explored) { left.Labs, left.Firewall = 1, firewall }); err != nil {
		return err
	}
	// The kernel's timers fire at its ticks: every run begins at the same place between two of them,
	// whatever ran before in its guest.
	time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second)))
	if e.clock, err = StartClock(l.hosts, 0, acts); err != nil {
		return fmt.Errorf("exploring: %w", err)
	}
	l.exploration = e
	return nil
}

// acts returns what is done to the lab.
func (e *exploration) acts() (all []Act, err error) {
	if faultFinder == nil {
		return nil, errors.New(`the test binary has no faults: import _ "github.com/halfopen-lab/halfopen/scenarios" in the test`)
	}
	for _, strike := range e.wanted.Strikes {
		f, err := faultFinder(e.lab, strike.Fault)
		if err != nil {
			return nil, err
		}
		all = append(all, e.act(strike.At, f.String(), f.Apply))
		if strike.Healed == 0 {
			continue
		}
		healer, ok := f.(Healer)
		if !ok {
			return nil, fmt.Errorf("%q cannot be healed", strike.Fault)
		}
		all = append(all, e.act(strike.At+strike.Healed, "healed: "+f.String(), healer.Heal))
	}
	if e.wanted.Limit > 0 {
		all = append(all, Act{e.wanted.Limit, "the test is ended", e.endTest})
	}
	return all, nil
}

// act returns the act that does something to the lab. The test takes no step meanwhile. If it fails,
// the run shows nothing, and the test goes on.
func (e *exploration) act(at time.Duration, what string, do func(*Lab) error) Act {
	return Act{at, what, func() error {
		e.stepping.Lock()
		defer e.stepping.Unlock()
		amend := e.lab.timeline.Begin("explore", timeline.Step, what)
		err := do(e.lab)
		if err == nil {
			return nil
		}
		failed := fmt.Sprintf("%s: %v", what, err)
		amend("FAILED: " + failed)
		return leave(func(left *Explored) { left.Trouble = failed })
	}}
}

// endTest ends a test that has lasted too long, and shows where it waits.
func (e *exploration) endTest() error {
	if err := e.tell(func(left *Explored) { left.Hung = true }); err != nil {
		return err
	}
	debug.SetTraceback("all")
	panic(fmt.Sprintf("the test has not ended %v after its lab's first packet", e.wanted.Limit))
}

// apart does what a step of the test does while nothing strikes. A step may have steps within it.
func (e *exploration) apart(do func() error) error {
	if e == nil {
		return do()
	}
	if e.depth == 0 {
		e.stepping.Lock()
		defer e.stepping.Unlock() // also if the step ends the test
	}
	e.depth++
	defer func() { e.depth-- }()
	return do()
}

// close ends the exploration before its lab is closed, and leaves the lab's story.
func (e *exploration) close() error {
	if e == nil {
		return nil
	}
	e.clock.Stop()
	_, _, err := e.clock.State()
	return errors.Join(err, e.tell(func(*Explored) {}))
}
