package harness

import "runtime"

// panicking reports whether the caller runs because the test has panicked. The clean-ups of a test
// that panics run before package testing calls it failed (testing.go, tRunner).
func panicking() bool {
	callers := make([]uintptr, 64)
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers)])
	for {
		frame, more := frames.Next()
		if frame.Function == "runtime.gopanic" {
			return true
		}
		if !more {
			return false
		}
	}
}
