package oracle

import "time"

// Silence is when a program that looks at its watch every interval notices that
// its peer has been silent for longer than timeout, counted from the last message:
// never before the timeout, and within one interval of it.
func Silence(timeout, interval time.Duration) Window {
	return Window{Earliest: timeout, Latest: late(timeout + interval)}
}

// Ghosts is how many connections of a client that dies without a word, and returns
// every so often, its server takes for alive when the client has just died once more:
// all that died less than the time to detection ago, the last one among them. It is
// the return rate times the detection time (Little's law), in whole connections.
func Ghosts(every, detection time.Duration) int {
	return int((detection + every - 1) / every)
}
