package audit

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/box"
	"github.com/halfopen-lab/halfopen/scenarios"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

const (
	// wakeupCost is what a program's wake-up costs in real time on a user-mode kernel. An
	// idle guest costs next to nothing. (An emulated processor takes fifty times as long:
	// there the user chooses --watch.)
	wakeupCost = 10 * time.Microsecond
	// budget is what the waiting of all trials may cost, in real time.
	budget = time.Minute
	// longestWatch is enough for the kernel's own keepalive, 7875 s and the lateness of
	// its timers, and leastWatch for the firewalls of the faults.
	longestWatch = 150 * time.Minute
	leastWatch   = 2 * scenarios.FirewallTimeout
)

// measureWakeups returns how often the programs of the trial wake up in a second.
func (t *trial) measureWakeups() (float64, error) {
	before, err := t.countWakeups()
	if err != nil {
		return 0, err
	}
	time.Sleep(settleTime)
	after, err := t.countWakeups()
	return float64(after-before) / settleTime.Seconds(), err
}

// countWakeups returns how often the programs of the trial have woken up so far.
func (t *trial) countWakeups() (sum int, err error) {
	for _, r := range t.beside {
		n, err := box.Wakeups(r.box.PID())
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // it may have done its work, and ended
			return 0, err
		}
		sum += n
	}
	for _, p := range []*harness.Program{t.program, t.peer} {
		if p == nil {
			continue
		}
		n, err := box.Wakeups(p.PID())
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

// affordable returns how long each of the trials can be watched within the budget, where the
// programs of each wake up that often in a second; unknown says what will stay unknown.
func affordable(wakeups float64, trials int) (watch time.Duration, unknown []string) {
	watch = longestWatch
	if wakeups > 0 {
		watch = min(watch, time.Duration(float64(budget)/(wakeups*float64(trials)*wakeupCost.Seconds())))
	}
	watch = max(watch.Truncate(time.Minute), leastWatch)
	if watch < longestWatch {
		unknown = append(unknown, fmt.Sprintf("what happens later than %v: it wakes up %.0f times a second, which makes virtual hours dear (--watch %v would take some %v of real time)",
			answer.Of(watch), wakeups, longestWatch, (time.Duration(wakeups*longestWatch.Seconds()*float64(trials))*wakeupCost).Round(time.Minute)))
	}
	return watch, unknown
}
