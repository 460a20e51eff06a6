package scenarios

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
)

// ProcessRestarted kills a program with SIGKILL, as ProcessKilled does, and its host goes on: until
// the program is started again, after Away, the kernel answers those who connect with RST
// (RFC 9293 §3.10.7.1). It works in every topology. Apply returns an error if the program has
// already ended.
type ProcessRestarted struct {
	Program *harness.Program // must be set
	Away    time.Duration    // how long the program is away; the caller waits
}

// String implements harness.Fault.
func (f ProcessRestarted) String() string {
	return fmt.Sprintf("%v is killed (SIGKILL), and started again %v later", f.Program, f.Away)
}

// Apply implements harness.Fault.
func (f ProcessRestarted) Apply(*harness.Lab) error { return f.Program.Signal(unix.SIGKILL) }

// Heal implements harness.Healer. It does nothing: the caller starts the program again.
func (f ProcessRestarted) Heal(*harness.Lab) error { return nil }

// Lasts implements Ending.
func (f ProcessRestarted) Lasts() time.Duration { return f.Away }

// Commands implements harness.Fault.
func (f ProcessRestarted) Commands(*harness.Lab) []string {
	return []string{"kill -KILL $(pidof PROGRAM)", fmt.Sprintf("sleep %g   # then start it again", f.Away.Seconds())}
}
