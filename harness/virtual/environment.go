package virtual

import (
	"fmt"

	"github.com/halfopen-lab/halfopen/harness/environment"
)

// Environment returns what every command finds in its environment in a guest with so
// much memory in MiB: NAME=VALUE. Of the settings, VirtualTime and Private are a guest's
// whatever they were.
func Environment(memory int, s environment.Settings) []string {
	s.VirtualTime, s.Private = true, true // as private as a machine can be
	return append(s.Variables(),
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin",
		"HOME=/root",
		// Go collects garbage every two minutes if nothing else makes it: thirty times
		// an idle hour, in each process.
		"GOGC=off", fmt.Sprintf("GOMEMLIMIT=%dMiB", memory/4),
		// A guest has one processor. What is set is not looked up again and again.
		"GOMAXPROCS=1",
	)
}
