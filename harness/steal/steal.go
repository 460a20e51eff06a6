// Package steal knows for how long the machine stood still: when its hypervisor gave a
// processor to somebody else (the column steal of /proc/stat, proc(5)). A virtual machine
// that has used up its quota stands still for the rest of the hypervisor's period, 100 ms
// by default, and nothing on it can be in time, the kernel's timers included.
//
// What a busy machine's own scheduler lets wait is not here: that is not the kernel's
// lateness but the program's.
package steal

import (
	"sync"
	"time"

	"github.com/prometheus/procfs"
)

// interval is how exactly it is known when the machine stood still.
const interval = 250 * time.Millisecond

var watch struct {
	sync.Mutex
	watchers int
	stop     chan struct{}
	history  history
}

// Watch begins to watch the machine, and returns what ends it. What was seen is forgotten
// when nobody watches any more.
func Watch() (end func()) {
	watch.Lock()
	defer watch.Unlock()
	if watch.watchers++; watch.watchers == 1 {
		watch.stop = make(chan struct{})
		look()
		go watchUntil(watch.stop)
	}
	return sync.OnceFunc(func() {
		watch.Lock()
		defer watch.Unlock()
		if watch.watchers--; watch.watchers == 0 {
			close(watch.stop)
			watch.history = history{}
		}
	})
}

func watchUntil(stop chan struct{}) {
	ticks := time.NewTicker(interval)
	defer ticks.Stop()
	for {
		select {
		case <-stop:
			return
		case <-ticks.C:
			watch.Lock()
			if watch.stop == stop && watch.watchers > 0 {
				look()
			}
			watch.Unlock()
		}
	}
}

// Between is the longest for which the machine can have stood still between two instants:
// that of the processor that was taken away for longest, in each of the intervals between
// them. It is 0 while nobody watches, and where the kernel does not say.
func Between(from, to time.Time) time.Duration {
	watch.Lock()
	defer watch.Unlock()
	if watch.watchers == 0 {
		return 0
	}
	look()
	return watch.history.between(from, to)
}

// look adds what the kernel says now. A /proc that does not say it is no error: then the
// machine is taken to run.
func look() {
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
	watch.history.add(time.Now(), stolen)
}
