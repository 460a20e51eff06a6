package scenarios

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
)

// ProcessKilled is kill -9: the program ends, and its kernel closes its sockets
// for it, with FIN, or with RST where received data was not read.
type ProcessKilled struct{ Program *harness.Program }

// String implements harness.Fault.
func (f ProcessKilled) String() string { return fmt.Sprintf("%v is killed (SIGKILL)", f.Program) }

// Apply implements harness.Fault.
func (f ProcessKilled) Apply(*harness.Lab) error { return f.Program.Signal(unix.SIGKILL) }

// Commands implements harness.Fault.
func (f ProcessKilled) Commands(*harness.Lab) []string {
	return []string{"kill -KILL $(pidof PROGRAM)"}
}

// ProcessStopped is SIGSTOP: the program does nothing any more, and its kernel
// goes on answering for it. It stands for every hung program.
type ProcessStopped struct{ Program *harness.Program }

// String implements harness.Fault.
func (f ProcessStopped) String() string { return fmt.Sprintf("%v is stopped (SIGSTOP)", f.Program) }

// Apply implements harness.Fault.
func (f ProcessStopped) Apply(*harness.Lab) error { return f.Program.Signal(unix.SIGSTOP) }

// Heal lets the program go on.
func (f ProcessStopped) Heal(*harness.Lab) error { return f.Program.Signal(unix.SIGCONT) }

// Commands implements harness.Fault.
func (f ProcessStopped) Commands(*harness.Lab) []string {
	return []string{"kill -STOP $(pidof PROGRAM)", "kill -CONT $(pidof PROGRAM)   # undoes it"}
}
