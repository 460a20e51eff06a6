package audit

import (
	"fmt"
	"sync"
	"time"

	"github.com/halfopen-lab/halfopen/fixtures/presets"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// shortestTimeout returns the shortest idle timeout of the presets whose flows keepalive
// probes keep, or whose sources do not deny it. A proxy that closes connections without
// data is beyond any keepalive.
var shortestTimeout = sync.OnceValue(func() time.Duration {
	var shortest time.Duration
	for _, p := range presets.All() {
		if p.Proxy() || p.ProbesRefresh == presets.No || p.Idle == 0 {
			continue
		}
		if shortest == 0 || p.Idle < shortest {
			shortest = p.Idle
		}
	}
	return shortest
})

// advisedSettings returns settings that keep a connection through a firewall with the
// shortest timeout, and end one whose peer is gone soon after: the first probe is sent
// before the firewall forgets, however late the kernel's timers are, three more follow, and
// unacknowledged data is given the same time.
var advisedSettings = sync.OnceValue(func() oracle.Keepalive {
	k := oracle.Keepalive{Interval: 30 * time.Second, Count: 3}
	for idle := 30 * time.Second; oracle.Around(idle).Latest < shortestTimeout(); idle += 30 * time.Second {
		k.Idle = idle
	}
	// A little less than the probes take, so that the two do not race (RFC 5482): the last
	// probe is still sent.
	k.UserTimeout = k.Idle + time.Duration(k.Count)*k.Interval - time.Second
	return k
})

// advise returns what to change, with the trials of it; nil where nothing needs to change,
// or nobody knows what.
func advise(a *answer.Answer, tried []answer.Fault) *answer.Advice {
	why := ""
	switch {
	case a.Settings == nil || a.Wire.Ended != nil: // unknown, or it does not live long enough
		return nil
	case a.Wire.Silence.Lasted.Duration() >= shortestTimeout():
		why = fmt.Sprintf("no packet for %v: middleboxes that forget after %v do", a.Wire.Silence.Lasted, answer.Seconds(shortestTimeout()))
	case a.Misses(hostPoweredOff):
		why = "it does not notice a host that is gone"
	default:
		return nil
	}
	k := advisedSettings()
	system := oracle.Default()
	s := a.Settings
	return &answer.Advice{
		Idle: answer.Seconds(k.Idle), Interval: answer.Seconds(k.Interval), Count: k.Count, UserTimeout: answer.Seconds(k.UserTimeout),
		BySysctl: s.Keepalive && s.Idle.Duration() == system.Idle && s.Interval.Duration() == system.Interval && s.Count == system.Count,
		Why:      why, Tried: tried,
	}
}
