package measuring

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/answer"
)

// What virtual time costs: an idle guest's hours are all but free, and each time that a
// program wakes up takes about half a millisecond of real time.
const (
	wakeUp = 500 * time.Microsecond
	// budget is what the waiting of all trials may cost, in real time.
	budget = time.Minute
	// longestWatch is enough for the kernel's own keepalive, 7875 s and the lateness of
	// its timers, and leastWatch for the firewalls of the faults.
	longestWatch = 150 * time.Minute
	leastWatch   = 2 * idleTimeout
)

// switches is how many context switches there have been (proc_stat(5), ctxt).
func switches() int {
	content, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0
	}
	for entry := range strings.Lines(string(content)) {
		if number, ok := strings.CutPrefix(entry, "ctxt "); ok {
			n, _ := strconv.Atoi(strings.TrimSpace(number))
			return n
		}
	}
	return 0
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
