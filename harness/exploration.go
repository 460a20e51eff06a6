package harness

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
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
	first  time.Time // the instant of the lab's first packet; zero: there was none
	deeds  []deed
	ended  chan struct{}  // closed when the lab closes
	done   sync.WaitGroup // of the goroutine that strikes

	stepping sync.Mutex // held while the test takes a step, or a fault strikes
	depth    int        // of steps within steps
}

// deed is a fault that strikes, or is healed, at an instant.
type deed struct {
	at   time.Duration // since the first packet
	what string
	do   func(*Lab) error
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
	e := &exploration{wanted: wanted, lab: l, ended: make(chan struct{})}
	if err := e.prepare(); err != nil {
		return errors.Join(fmt.Errorf("exploring: %w", err), leave(func(left *Explored) { left.Labs, left.Trouble = 1, err.Error() }))
	}
	if err := leave(func(left *Explored) { left.Labs, left.Firewall = 1, l.First(Firewall) != nil && l.First(NAT) == nil }); err != nil {
		return err
	}
	l.exploration = e
	e.done.Go(e.run)
	return nil
}

// prepare finds the faults.
func (e *exploration) prepare() error {
	if faultFinder == nil {
		return errors.New(`the test binary has no faults: import _ "github.com/halfopen-lab/halfopen/scenarios" in the test`)
	}
	for _, strike := range e.wanted.Strikes {
		f, err := faultFinder(e.lab, strike.Fault)
		if err != nil {
			return err
		}
		e.deeds = append(e.deeds, deed{strike.At, f.String(), f.Apply})
		if strike.Healed == 0 {
			continue
		}
		healer, ok := f.(Healer)
		if !ok {
			return fmt.Errorf("%q cannot be healed", strike.Fault)
		}
		e.deeds = append(e.deeds, deed{strike.At + strike.Healed, "healed: " + f.String(), healer.Heal})
	}
	slices.SortStableFunc(e.deeds, func(a, b deed) int { return int(a.at - b.at) })
	return nil
}

// run does the deeds at their instants, and ends a test that lasts too long.
func (e *exploration) run() {
	var ok bool
	if e.first, ok = e.firstPacket(); !ok {
		return
	}
	for _, d := range e.deeds {
		if !sleepUntil(e.first.Add(d.at), e.ended) {
			return
		}
		if err := e.strike(d); err != nil {
			_ = leave(func(left *Explored) { left.Trouble = err.Error() }) // it is in the timeline, too
		}
	}
	if e.wanted.Limit == 0 || !sleepUntil(e.first.Add(e.wanted.Limit), e.ended) {
		return
	}
	_ = e.tell(func(left *Explored) { left.Hung = true })
	debug.SetTraceback("all") // where the test waits
	panic(fmt.Sprintf("the test has not ended %v after its lab's first packet", e.wanted.Limit))
}

// firstPacket waits for the lab's first packet of TCP or SCTP and returns its instant, on
// whichever host it was. It returns false if the lab closes before.
func (e *exploration) firstPacket() (at time.Time, ok bool) {
	instants := make(chan time.Time, len(e.lab.hosts))
	for _, h := range e.lab.hosts {
		go func() {
			if first, seen := h.capture.First(); seen {
				instants <- first.At
			}
		}()
	}
	select {
	case at = <-instants:
	case <-e.ended:
		return at, false
	}
	for { // another host that has it by now may have had it before
		select {
		case other := <-instants:
			if other.Before(at) {
				at = other
			}
		default:
			return at, true
		}
	}
}

// strike does one deed. The test takes no step meanwhile.
func (e *exploration) strike(d deed) error {
	e.stepping.Lock()
	defer e.stepping.Unlock()
	began := time.Now()
	amend := e.lab.timeline.Begin("explore", timeline.Step, d.what)
	if err := d.do(e.lab); err != nil {
		amend(fmt.Sprintf("FAILED: %s: %v", d.what, err))
		return fmt.Errorf("%s: %w", d.what, err)
	}
	struck := Struck{What: d.what, At: began.Round(0).Sub(e.first), Took: time.Since(began)}
	return leave(func(left *Explored) { left.Struck = append(left.Struck, struck) })
}

// begin keeps strikes away while the test takes a step, and end lets them go on. A step may have
// steps within it.
func (e *exploration) begin() {
	if e == nil {
		return
	}
	if e.depth == 0 {
		e.stepping.Lock()
	}
	e.depth++
}

func (e *exploration) end() {
	if e == nil {
		return
	}
	if e.depth--; e.depth == 0 {
		e.stepping.Unlock()
	}
}

// close ends the exploration before its lab is closed, and leaves the lab's story.
func (e *exploration) close() error {
	if e == nil {
		return nil
	}
	close(e.ended)
	e.done.Wait()
	return e.tell(func(*Explored) {})
}
