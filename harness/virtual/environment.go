package virtual

import (
	"fmt"

	"github.com/halfopen-lab/halfopen/harness/private"
	"github.com/halfopen-lab/halfopen/harness/require"
)

// Environment returns what every command finds in its environment in a guest with so
// much memory in MiB: NAME=VALUE.
func Environment(memory int) []string {
	return []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin",
		"HOME=/root",
		private.Marker + "=guest", // as private as a machine can be
		require.Virtual + "=1",
		// Go collects garbage every two minutes if nothing else makes it: thirty times
		// an idle hour, in each process.
		"GOGC=off", fmt.Sprintf("GOMEMLIMIT=%dMiB", memory/4),
		// A guest has one processor. What is set is not looked up again and again.
		"GOMAXPROCS=1",
	}
}
