package oracle

import (
	"fmt"
	"time"
)

// The limits of the socket options: setsockopt(2) returns EINVAL beyond them (include/net/tcp.h,
// MAX_TCP_KEEPIDLE, MAX_TCP_KEEPINTVL, MAX_TCP_KEEPCNT).
const (
	MaxKeepIdle     = 32767 * time.Second
	MaxKeepInterval = 32767 * time.Second
	MaxKeepCount    = 127
)

// Keepalive has the settings that decide when the kernel probes an idle connection and when it
// gives it up (tcp(7)). A zero field leaves the system's value. Death and Probes need Idle,
// Interval and Count.
type Keepalive struct {
	Idle     time.Duration // TCP_KEEPIDLE: silence before the first probe, whole seconds
	Interval time.Duration // TCP_KEEPINTVL: time between probes, whole seconds
	Count    int           // TCP_KEEPCNT: unanswered probes that end the connection
	// UserTimeout is TCP_USER_TIMEOUT, in whole milliseconds. If it is set, the kernel
	// ignores Count.
	UserTimeout time.Duration
}

// Default returns the kernel's default keepalive (include/net/tcp.h, TCP_KEEPALIVE_TIME,
// TCP_KEEPALIVE_INTVL, TCP_KEEPALIVE_PROBES). RFC 9293 §3.8.4 asks for at least two hours.
func Default() Keepalive {
	return Keepalive{Idle: 2 * time.Hour, Interval: 75 * time.Second, Count: 9}
}

// Validate returns an error for a value that the kernel would refuse. Zero fields are valid.
func (k Keepalive) Validate() error {
	for _, field := range []struct {
		name  string
		value time.Duration
		limit time.Duration
	}{
		{"idle time", k.Idle, MaxKeepIdle},
		{"interval", k.Interval, MaxKeepInterval},
	} {
		switch {
		case field.value < 0:
			return fmt.Errorf("the keepalive %s %v is negative", field.name, field.value)
		case field.value > field.limit:
			return fmt.Errorf("the keepalive %s %v is more than the kernel allows, %d s", field.name, field.value, int(field.limit/time.Second))
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

// Probes returns when the kernel probes a dead peer, each counted from when it last heard from
// the peer.
func (k Keepalive) Probes() []time.Duration {
	probes, _ := k.timer()
	return probes
}

// Death returns when the connection to a dead peer ends with ETIMEDOUT and one RST, counted from
// when the kernel last heard from the peer (net/ipv4/tcp_timer.c, tcp_keepalive_timer). If a
// late timer can reach the UserTimeout one probe early, the window opens at the UserTimeout.
func (k Keepalive) Death() Window {
	probes, death := k.timer()
	window := Around(death)
	for i, probe := range probes {
		// The first timer always probes.
		if i > 0 && k.UserTimeout != 0 && late(probe) >= k.UserTimeout {
			window.Earliest = max(probe, k.UserTimeout) - grain
			break
		}
	}
	return window
}

// timer is tcp_keepalive_timer for a peer that never answers: when it probes, and when it ends
// the connection.
func (k Keepalive) timer() (probes []time.Duration, death time.Duration) {
	for elapsed := k.Idle; ; elapsed += k.Interval {
		over := len(probes) >= k.Count
		if k.UserTimeout != 0 {
			over = len(probes) > 0 && elapsed >= k.UserTimeout
		}
		if over {
			return probes, elapsed
		}
		probes = append(probes, elapsed)
	}
}

// String returns the settings: "idle 2h0m0s, interval 1m15s, 9 probes"; "the system's values"
// for the zero value.
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
