//go:build guest

package idle

import (
	"math"
	_ "unsafe" // go:linkname
)

// forceGCPeriod is how long, in nanoseconds, Go's runtime may go without a collection.
// Its monitor wakes up after half of that, a minute, in each program that sleeps
// (runtime/proc.go, sysmon): that was half of all that woke a guest. Guests collect when
// memory runs short, and nothing else depends on it.
//
// The linker must be told to let the runtime's own variables be set (-checklinkname=0).
// In a runtime that has none of this name this is a variable that nobody reads.
//
//go:linkname forceGCPeriod runtime.forcegcperiod
var forceGCPeriod int64

func init() { forceGCPeriod = math.MaxInt64 }
