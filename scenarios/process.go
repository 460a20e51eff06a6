package scenarios

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
)

// ProcessKilled kills a program with SIGKILL. The kernel closes the program's sockets, with
// FIN, or with RST if received data was not read (RFC 2525 §2.17). It works in every
// topology. Apply returns an error if the program has already ended.
type ProcessKilled struct {
	Program *harness.Program // must be set
}

// String implements harness.Fault.
func (f ProcessKilled) String() string { return fmt.Sprintf("%v is killed (SIGKILL)", f.Program) }

// Apply implements harness.Fault.
func (f ProcessKilled) Apply(*harness.Lab) error { return f.Program.Signal(unix.SIGKILL) }

// Commands implements harness.Fault.
func (f ProcessKilled) Commands(*harness.Lab) []string {
	return []string{"kill -KILL $(pidof PROGRAM)"}
}

// ProcessStopped stops a program with SIGSTOP, as a stand-in for any program that hangs. The
// kernel goes on acknowledging for it. It works in every topology. Apply returns an error if
// the program has already ended.
type ProcessStopped struct {
	Program *harness.Program // must be set
}

// String implements harness.Fault.
func (f ProcessStopped) String() string { return fmt.Sprintf("%v is stopped (SIGSTOP)", f.Program) }

// Apply implements harness.Fault.
func (f ProcessStopped) Apply(*harness.Lab) error { return f.Program.Signal(unix.SIGSTOP) }

// Heal implements harness.Healer: it lets the program go on (SIGCONT).
func (f ProcessStopped) Heal(*harness.Lab) error { return f.Program.Signal(unix.SIGCONT) }

// Commands implements harness.Fault.
func (f ProcessStopped) Commands(*harness.Lab) []string {
	return []string{"kill -STOP $(pidof PROGRAM)", "kill -CONT $(pidof PROGRAM)   # undoes it"}
}
