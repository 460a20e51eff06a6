package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/halfopen-lab/halfopen/harness/nearest"
	"github.com/halfopen-lab/halfopen/scenarios/explore"
)

// Exploring is what an exploration does with a program, and what it promises.
type Exploring struct {
	// Faults are those that strike, by their titles. Empty: DefaultFaults.
	Faults []string `yaml:"faults"`
	// Healed are the times after which a fault is healed, where it can be; 0s is never.
	// Empty: DefaultHealed.
	Healed []time.Duration `yaml:"healed"`
	// Recover is how long after a fault was healed the program must do again what it did
	// without the fault. Zero: DefaultRecover.
	Recover time.Duration `yaml:"recover"`
	// Notice is how long after the last strike or heal no socket may be left whose peer is gone.
	// Zero: DefaultNotice.
	Notice time.Duration `yaml:"notice"`
	// Requests is how many requests a fixture that is the client asks. Zero: three.
	Requests int `yaml:"requests"`
	// Without are the invariants that the program does not promise, by their names.
	Without []string `yaml:"without"`
}

const (
	// DefaultRecover is more than what retransmission takes after an outage of a minute.
	DefaultRecover = 2 * time.Minute
	// DefaultNotice is more than what Linux takes to give up data that nobody acknowledges: 15.4
	// minutes (tcp_retries2). Keepalive with its default of two hours is not enough.
	DefaultNotice = 20 * time.Minute

	defaultRequests = 3
)

// invariants are the names of all invariants, with what each demands.
var invariants = []struct{ name, demands string }{
	{requestLost, "each request of the quiet run is answered, unless the program ends and says that it has failed"},
	{askedAgain, "no request is made again whose answer has arrived"},
	{hangs, "the program does again what it did without the fault"},
	{ghostLeft, "no socket is left whose peer is gone"},
	{givenUp, "the program ends no connection that works again after the fault"},
	{programEnded, "no program ends that lives on without a fault, and none by a signal"},
}

func (x Exploring) recover() time.Duration { return cmp.Or(x.Recover, DefaultRecover) }
func (x Exploring) notice() time.Duration  { return cmp.Or(x.Notice, DefaultNotice) }
func (x Exploring) requests() int          { return cmp.Or(x.Requests, defaultRequests) }

// kept returns the violations of what is promised.
func (x Exploring) kept(all []explore.Violation) []explore.Violation {
	return slices.DeleteFunc(all, func(v explore.Violation) bool { return slices.Contains(x.Without, v.Invariant) })
}

// check reports, in one line, what is wrong with the section explore of a file.
func (x Exploring) check() error {
	for _, d := range append([]time.Duration{x.Recover, x.Notice}, x.Healed...) {
		if d < 0 || d > longestWatchAllowed {
			return fmt.Errorf("explore: the time %v must be from 0s to %v", d, longestWatchAllowed)
		}
	}
	if x.Requests < 0 || x.Requests > mostRequests {
		return fmt.Errorf("explore: %d requests: choose from 1 to %d", x.Requests, mostRequests)
	}
	var names []string
	for _, i := range invariants {
		names = append(names, i.name)
	}
	for _, name := range x.Without {
		if !slices.Contains(names, name) {
			return fmt.Errorf("explore: there is no invariant %q: %s; they are: %s", name, nearest.List(name, names), strings.Join(names, ", "))
		}
	}
	for _, title := range x.Faults {
		if _, err := (Request{}).blow(explore.Strike{Fault: title}); err != nil {
			return fmt.Errorf("explore: %w", err)
		}
	}
	return nil
}

// mostRequests bounds Requests: each has a handful of events, and each of them many runs.
const mostRequests = 100
