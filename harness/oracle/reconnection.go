package oracle

import "time"

// Reconnection has the settings with which a program connects again after it has lost its
// connection. The program waits for Backoff before its first attempt, and twice as long before
// each further one (exponential back-off; without jitter, unlike that of RFC 9110 clients and of
// cloud SDKs, so that the instants can be computed).
type Reconnection struct {
	Backoff    time.Duration // wait before the first attempt
	MaxBackoff time.Duration // longest wait; zero: no limit
	Timeout    time.Duration // how long an attempt waits for the peer; zero: as long as the kernel tries
}

// Next returns the wait after another one.
func (r Reconnection) Next(backoff time.Duration) time.Duration {
	if r.MaxBackoff == 0 {
		return 2 * backoff
	}
	return min(2*backoff, r.MaxBackoff)
}

// Silent returns when the program is connected again, counted from the loss of its connection,
// if the path drops everything until outage after the loss. An attempt succeeds with the first
// SYN that is sent after that; linear and retries are those of SYNs. The lateness of the kernel's
// timers adds up over the attempts, so that after many of them any SYN may be the first.
func (r Reconnection) Silent(outage time.Duration, linear, retries int) Window {
	syns := SYNs(linear, retries)
	connected := func(slowness float64) time.Duration {
		return r.connected(func(at time.Duration) (success, failure time.Duration) {
			for i, syn := range syns {
				syn = time.Duration(float64(syn) * slowness)
				switch {
				case r.Timeout != 0 && syn >= r.Timeout:
					return 0, at + r.Timeout
				case i == len(syns)-1: // the kernel gives up
					return 0, at + syn
				case at+syn >= outage:
					return at + syn, 0
				}
			}
			return 0, at
		})
	}
	first, last := connected(1), connected(1)
	for i := range 129 {
		at := connected(1 + float64(i)/1024) // up to Tolerance
		first, last = min(first, at), max(last, at)
	}
	return Window{Earliest: max(outage, first-grain), Latest: late(last)}
}

// Refused returns when the program is connected again, counted from the loss of its connection,
// if the peer's kernel refuses every attempt until outage after the loss.
func (r Reconnection) Refused(outage time.Duration) Window {
	return Around(r.connected(func(at time.Duration) (success, failure time.Duration) {
		if at >= outage {
			return at, 0
		}
		return 0, at
	}))
}

// connected makes attempts until one succeeds. try returns when an attempt that begins at an
// instant succeeds, or when it fails; the other is zero.
func (r Reconnection) connected(try func(at time.Duration) (success, failure time.Duration)) time.Duration {
	at := time.Duration(0)
	for backoff := r.Backoff; ; backoff = r.Next(backoff) {
		success, failure := try(at + backoff)
		if success > 0 {
			return success
		}
		at = failure
	}
}
