package oracle

import (
	"fmt"
	"time"
)

// Limits of the socket options (include/net/tcp.h, MAX_TCP_KEEPIDLE and the two
// after it): setsockopt(2) answers EINVAL beyond them.
const (
	MaxKeepIdle     = 32767 * time.Second
	MaxKeepInterval = 32767 * time.Second
	MaxKeepCount    = 127
)

// Keepalive is the settings that decide when an idle connection is probed and
// given up (tcp(7)). A zero field leaves the system's value; Death and Probes need
// all of the first three.
type Keepalive struct {
	Idle     time.Duration // TCP_KEEPIDLE: silence before the first probe, whole seconds
	Interval time.Duration // TCP_KEEPINTVL: between probes, whole seconds
	Count    int           // TCP_KEEPCNT: unanswered probes after which the connection ends
	// UserTimeout is TCP_USER_TIMEOUT. When it is set, Count decides nothing.
	UserTimeout time.Duration
}

// Default is the kernel's own keepalive (include/net/tcp.h, TCP_KEEPALIVE_TIME and
// the two after it; RFC 9293 §3.8.4 asks for at least two hours).
func Default() Keepalive {
	return Keepalive{Idle: 2 * time.Hour, Interval: 75 * time.Second, Count: 9}
}

// Validate says what the kernel would refuse, in words. Zero fields are allowed.
func (k Keepalive) Validate() error {
	for _, field := range []struct {
		name  string
		value time.Duration
		most  time.Duration
	}{
		{"idle time", k.Idle, MaxKeepIdle},
		{"interval", k.Interval, MaxKeepInterval},
	} {
		switch {
		case field.value < 0:
			return fmt.Errorf("the keepalive %s %v is negative", field.name, field.value)
		case field.value > field.most:
			return fmt.Errorf("the keepalive %s %v is more than the kernel allows, %d s", field.name, field.value, int(field.most/time.Second))
		case field.value%time.Second != 0:
			return fmt.Errorf("the keepalive %s %v is not a whole number of seconds", field.name, field.value)
		}
	}
	switch {
	case k.Count < 0 || k.Count > MaxKeepCount:
		return fmt.Errorf("the keepalive count %d is not between 0 and %d", k.Count, MaxKeepCount)
	case k.UserTimeout < 0:
		return fmt.Errorf("the user timeout %v is negative", k.UserTimeout)
	case k.UserTimeout%time.Millisecond != 0:
		return fmt.Errorf("the user timeout %v is not a whole number of milliseconds", k.UserTimeout)
	}
	return nil
}

// Probes are the times, since the peer was last heard, at which the probes of a
// dead peer go out.
func (k Keepalive) Probes() []time.Duration {
	probes, _ := k.run()
	return probes
}

// Death is when a dead peer's connection ends with ETIMEDOUT and one RST, counted
// from when the peer was last heard (net/ipv4/tcp_timer.c, tcp_keepalive_timer).
// With a UserTimeout that a late timer may reach before its time, the window begins
// with the UserTimeout.
func (k Keepalive) Death() Window {
	probes, death := k.run()
	window := Around(death)
	for i, probe := range probes {
		// The first timer only ever probes.
		if i > 0 && k.UserTimeout != 0 && late(probe) >= k.UserTimeout {
			window.Earliest = max(probe, k.UserTimeout) - grain
			break
		}
	}
	return window
}

// run is tcp_keepalive_timer for a peer that never answers.
func (k Keepalive) run() (probes []time.Duration, death time.Duration) {
	for elapsed := k.Idle; ; elapsed += k.Interval {
		enough := len(probes) >= k.Count
		if k.UserTimeout != 0 {
			enough = len(probes) > 0 && elapsed >= k.UserTimeout
		}
		if enough {
			return probes, elapsed
		}
		probes = append(probes, elapsed)
	}
}

// String is the settings as people write them: "idle 2h0m0s, interval 1m15s, 9 probes".
func (k Keepalive) String() string {
	if k == (Keepalive{}) {
		return "the system's values"
	}
	text := fmt.Sprintf("idle %v, interval %v, %d probes", k.Idle, k.Interval, k.Count)
	if k.UserTimeout != 0 {
		text += fmt.Sprintf(", user timeout %v", k.UserTimeout)
	}
	return text
}
