package measuring

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/answer"
	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/contained"
	"github.com/halfopen-lab/halfopen/harness"
)

// What virtual time costs: an idle guest's hours are all but free, and each time that a
// program wakes up takes some ten microseconds of real time on a user-mode kernel. (An
// emulated processor takes fifty times as much: there --watch is the user's to choose.)
const (
	wakeUp = 10 * time.Microsecond
	// budget is what the waiting of all trials may cost, in real time.
	budget = time.Minute
	// longestWatch is enough for the kernel's own keepalive, 7875 s and the lateness of
	// its timers, and leastWatch for the firewalls of the faults.
	longestWatch = 150 * time.Minute
	leastWatch   = 2 * idleTimeout
)

// wakeUps is how many times a second the programs of the trial wake up.
func (t *trial) wakeUps() float64 {
	before := t.switches()
	time.Sleep(leftAlone)
	return float64(t.switches()-before) / leftAlone.Seconds()
}

// switches is how often the programs' threads have given the processor up to wait, which
// each does once for each time that it wakes up (proc_pid_status(5)).
func (t *trial) switches() (sum int) {
	for _, p := range []*harness.Program{t.program, t.peer} {
		if p == nil {
			continue
		}
		processes, err := contained.Processes(p.PID())
		t.must(err)
		for _, pid := range processes {
			threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid))
			for _, file := range threads {
				content, _ := os.ReadFile(file) // one that has ended waits for nothing
				for entry := range strings.Lines(string(content)) {
					if number, ok := strings.CutPrefix(entry, "voluntary_ctxt_switches:"); ok {
						n, _ := strconv.Atoi(strings.TrimSpace(number))
						sum += n
					}
				}
			}
		}
	}
	return sum
}

// affordable is how long each of so many trials can be watched, where each program wakes
// up so many times a second; unknown says what is lost.
func affordable(wakeUps float64, trials int) (watch time.Duration, unknown []string) {
	watch = longestWatch
	if wakeUps > 0 {
		watch = min(watch, time.Duration(float64(budget)/(wakeUps*float64(trials)*wakeUp.Seconds())))
	}
	watch = max(watch.Truncate(time.Minute), leastWatch)
	if watch < longestWatch {
		unknown = append(unknown, fmt.Sprintf("what happens later than %v: it wakes up %.0f times a second, which makes virtual hours dear (--watch %v would take some %v of real time)",
			answer.Of(watch), wakeUps, longestWatch, (time.Duration(wakeUps*longestWatch.Seconds()*float64(trials))*wakeUp).Round(time.Minute)))
	}
	return watch, unknown
}
