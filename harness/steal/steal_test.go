package steal

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestBetweenReportsTheProcessorThatLostMostInEachGapThatOverlaps(t *testing.T) {
	const ms = time.Millisecond
	began := time.Now()
	after := func(d time.Duration) time.Time { return began.Add(d) }
	var h history
	for _, sample := range []struct {
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
		h.add(after(sample.at), sample.stolen)
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

// The kernel's own count, of all processors: the package reports no more.
func TestBetweenReportsNoMoreThanTheKernelCounts(t *testing.T) {
	var m monitor
	defer m.watch()()
	total := func() (processors int, sum time.Duration) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.sample()
		for _, stolen := range m.history.stolen {
			sum += stolen
		}
		return len(m.history.stolen), sum
	}
	from := time.Now()
	processors, before := total()
	if processors == 0 {
		t.Fatal("/proc/stat names no processor")
	}
	time.Sleep(3 * interval)
	reported := m.between(from, time.Now())
	if _, after := total(); reported > after-before {
		t.Errorf("the machine is said to have stood still for %v, and the kernel counted %v", reported, after-before)
	}
}

func TestWatchingEndsWithTheLastWatcher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // which fails while a goroutine is left
		var m monitor
		first, second := m.watch(), m.watch()
		first()
		first()
		if m.watchers != 1 {
			t.Errorf("one of two watchers has ended, and %d are left", m.watchers)
		}
		second()
		if m.watchers != 0 || m.history.gaps != nil {
			t.Errorf("both watchers have ended, and %d are left, with the history %v", m.watchers, m.history.gaps)
		}
		if got := m.between(time.Now().Add(-time.Hour), time.Now()); got != 0 {
			t.Errorf("without a watcher the machine stood still for %v", got)
		}
	})
}
