package steal

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestTheLongestAbsenceOfAnyProcessorIsToldForTheIntervalsThatItTouches(t *testing.T) {
	const ms = time.Millisecond
	began := time.Now()
	after := func(d time.Duration) time.Time { return began.Add(d) }
	var h history
	for _, look := range []struct {
		at     time.Duration
		stolen map[int64]time.Duration
	}{
		{0, map[int64]time.Duration{0: 500 * ms, 1: 0}}, // before anybody watched
		{100 * ms, map[int64]time.Duration{0: 500 * ms, 1: 0}},
		{200 * ms, map[int64]time.Duration{0: 600 * ms, 1: 30 * ms}},
		{300 * ms, map[int64]time.Duration{0: 600 * ms, 1: 30 * ms}},
		{400 * ms, map[int64]time.Duration{0: 600 * ms, 1: 50 * ms}},
		{500 * ms, map[int64]time.Duration{0: 600 * ms, 1: 50 * ms, 2: 900 * ms}}, // a processor more
	} {
		h.add(after(look.at), look.stolen)
	}
	for _, c := range []struct{ from, to, want time.Duration }{
		{0, 100 * ms, 0},
		{0, 150 * ms, 100 * ms},
		{150 * ms, 160 * ms, 100 * ms},
		{200 * ms, 300 * ms, 0},
		{250 * ms, 500 * ms, 20 * ms},
		{0, time.Second, 120 * ms},
	} {
		if got := h.between(after(c.from), after(c.to)); got != c.want {
			t.Errorf("between %v and %v the machine stood still for %v, expected %v", c.from, c.to, got, c.want)
		}
	}
}

// The kernel's own numbers: no more is told than what it counts in the meantime, of all
// processors.
func TestWhatTheKernelCountsIsTold(t *testing.T) {
	defer Watch()()
	total := func() (processors int, sum time.Duration) {
		watch.Lock()
		defer watch.Unlock()
		look()
		for _, stolen := range watch.history.stolen {
			sum += stolen
		}
		return len(watch.history.stolen), sum
	}
	from := time.Now()
	processors, before := total()
	if processors == 0 {
		t.Fatal("/proc/stat names no processor")
	}
	time.Sleep(3 * interval)
	told := Between(from, time.Now())
	if _, after := total(); told > after-before {
		t.Errorf("the machine is said to have stood still for %v, and the kernel counted %v", told, after-before)
	}
}

func TestWatchingEndsWithTheLastWatcher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // which fails while a goroutine is left
		first, second := Watch(), Watch()
		first()
		first()
		if watch.watchers != 1 {
			t.Errorf("one of two has gone, and %d watch", watch.watchers)
		}
		second()
		if watch.watchers != 0 || watch.history.gaps != nil {
			t.Errorf("nobody watches, and there are %d, who know of %v", watch.watchers, watch.history.gaps)
		}
		if got := Between(time.Now().Add(-time.Hour), time.Now()); got != 0 {
			t.Errorf("nobody watched, and the machine stood still for %v", got)
		}
	})
}
