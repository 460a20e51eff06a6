// Package advice is the settings that an audit advises, derived from the documented
// idle timeouts of middleboxes (fixtures/presets) and from what the kernel makes of
// settings (harness/oracle).
package advice

import (
	"sync"
	"time"

	"github.com/halfopen-lab/halfopen/fixtures/presets"
	"github.com/halfopen-lab/halfopen/harness/oracle"
)

// Forgets is the shortest idle timeout of the presets whose flows a keepalive probe
// keeps: where no source denies it. Proxies that close a connection without bytes are
// beyond any keepalive.
var Forgets = sync.OnceValue(func() time.Duration {
	shortest := time.Duration(0)
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

// Settings keep a connection through a firewall that forgets after Forgets, and end one
// whose peer is gone some time later: the first probe goes out before the firewall
// forgets, however late the kernel's timers are, three more follow, and data that nobody
// acknowledges is given the same time.
var Settings = sync.OnceValue(func() oracle.Keepalive {
	k := oracle.Keepalive{Interval: 30 * time.Second, Count: 3}
	for idle := 30 * time.Second; oracle.Around(idle).Latest < Forgets(); idle += 30 * time.Second {
		k.Idle = idle
	}
	// A little less than the probes take (RFC 5482; the two would race otherwise): the
	// last probe is still sent.
	k.UserTimeout = k.Idle + time.Duration(k.Count)*k.Interval - time.Second
	return k
})
