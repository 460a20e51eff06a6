package oracle

import "time"

// Silence returns when a program notices that its peer is silent, counted from the peer's last
// message. The program checks once every interval whether the last message is older than
// timeout: it never notices before the timeout, and at the latest one interval after it.
func Silence(timeout, interval time.Duration) Window {
	return Window{Earliest: timeout, Latest: late(timeout + interval)}
}

// Ghosts returns how many dead connections a server takes for alive. Its client connects, dies
// silently and returns once every interval; the server detects each death after detection. The
// count is that of the instant of a death, and includes it: the deaths per time, multiplied by the
// detection time (Little's law), rounded up.
func Ghosts(every, detection time.Duration) int {
	return int((detection + every - 1) / every)
}
