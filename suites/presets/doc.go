// Package presets contains the specs of the middlebox presets: row F11 of the catalogue.
// There is one spec for each preset of fixtures/presets, over IPv4: what a firewall does
// after a timeout is the same over IPv6, as suites/firewall shows.
package presets

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"

	"github.com/halfopen-lab/halfopen/fixtures/presets"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

// entries returns an entry for each preset that does the same after its timeout. The specs
// wait for the timeout and a little longer.
func entries(after presets.AfterExpiry) []TableEntry {
	var entries []TableEntry
	for _, p := range presets.All() {
		if p.AfterExpiry != after || p.Idle == 0 || p.Program != "" {
			continue
		}
		entries = append(entries, Entry(fmt.Sprintf("%s, after %v", p.Name, p.Idle), Waits(p.Idle+5*time.Second), p))
	}
	return entries
}

// probes returns keepalive whose probes come well before the preset's timeout.
func probes(p presets.Preset) oracle.Keepalive {
	idle := min(p.Idle/2, oracle.Default().Idle)
	return oracle.Keepalive{Idle: idle, Interval: idle, Count: 9}
}
