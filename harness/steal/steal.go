// Package steal measures for how long the machine stood still because its hypervisor ran
// something else (steal, a column of /proc/stat, proc(5)). A virtual machine that has used
// up its quota stands still for the rest of the hypervisor's period, by default 100 ms.
// Nothing on it can be in time then, not even the kernel's timers.
//
// The time that a program waits for this machine's own scheduler is not steal: then the
// program is late, and not the kernel.
package steal

import (
	"sync"
	"time"

	"github.com/prometheus/procfs"
)

// interval is the time between two samples: it limits how exactly the package knows when
// the machine stood still.
const interval = 250 * time.Millisecond

// monitor samples the steal of one machine while anybody watches. The zero value is ready
// to use, by any goroutine.
type monitor struct {
	mu       sync.Mutex
	watchers int
	stop     chan struct{} // closed when the last watcher ends
	history  history
}

// machine is this machine's. There is one, because matchers ask about the machine and know
// no lab.
var machine monitor

// Watch begins to watch the machine until end is called. The history is dropped when the
// last watcher ends.
func Watch() (end func()) { return machine.watch() }

// Between returns the longest time that the machine can have stood still between two
// instants: in each interval, the steal of the processor that lost most. It is 0 while
// nobody watches, and on kernels that do not count steal.
func Between(from, to time.Time) time.Duration { return machine.between(from, to) }

func (m *monitor) watch() (end func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.watchers++; m.watchers == 1 {
		m.stop = make(chan struct{})
		m.sample()
		go m.sampleUntil(m.stop)
	}
	return sync.OnceFunc(func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.watchers--; m.watchers == 0 {
			close(m.stop)
			m.history = history{}
		}
	})
}

func (m *monitor) sampleUntil(stop chan struct{}) {
	ticks := time.NewTicker(interval)
	defer ticks.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ticks.C:
			m.mu.Lock()
			if m.stop == stop && m.watchers > 0 {
				m.sample()
			}
			m.mu.Unlock()
		}
	}
}

func (m *monitor) between(from, to time.Time) time.Duration {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.watchers == 0 {
		return 0
	}
	m.sample()
	return m.history.between(from, to)
}

// sample adds the kernel's present count to the history. If /proc does not show it, the
// machine counts as running.
func (m *monitor) sample() {
	proc, err := procfs.NewDefaultFS()
	if err != nil {
		return
	}
	stat, err := proc.Stat()
	if err != nil {
		return
	}
	stolen := make(map[int64]time.Duration, len(stat.CPU))
	for processor, times := range stat.CPU {
		stolen[processor] = time.Duration(times.Steal * float64(time.Second)).Round(time.Millisecond)
	}
	m.history.add(time.Now(), stolen)
}
