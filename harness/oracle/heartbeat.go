package oracle

import "time"

// Silence is when a program that looks at its watch every interval notices that
// its peer has been silent for longer than timeout, counted from the last message:
// never before the timeout, and within one interval of it.
func Silence(timeout, interval time.Duration) Window {
	return Window{Earliest: timeout, Latest: late(timeout + interval)}
}
