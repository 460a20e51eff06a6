package harness

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// nearly is how long before an instant a goroutine that waits for it stops to rely on Go's
// timers: they may be a millisecond late, since the runtime waits in whole milliseconds.
const nearly = 5 * time.Millisecond

// sleepUntil waits until an instant, and returns false if ended is closed before. It wakes some
// microseconds after the instant.
func sleepUntil(at time.Time, ended <-chan struct{}) bool {
	select {
	case <-ended:
		return false
	case <-time.After(time.Until(at) - nearly):
	}
	// The kernel may be late by the thread's timer slack (prctl(2)), in a guest a millisecond.
	// The thread ends with the goroutine that does not unlock it: its slack is nobody else's.
	slept := make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer close(slept)
		_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0)
		for left := time.Until(at); left > 0; left = time.Until(at) {
			wait := unix.NsecToTimespec(int64(left))
			_ = unix.Nanosleep(&wait, nil) // a signal may cut it short
		}
	}()
	select {
	case <-slept:
		return true
	case <-ended:
		return false
	}
}
