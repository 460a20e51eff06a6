package scenarios

import (
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
)

// HalfClose makes one end of a connection send FIN and go on reading (RFC 9293 §3.6): the other
// end may still send. It works in every topology.
type HalfClose struct {
	By *harness.Conn // the end that sends FIN; must be set
}

// String implements harness.Fault.
func (f HalfClose) String() string {
	return fmt.Sprintf("%s sends FIN, and goes on reading", f.By.Name)
}

// Apply implements harness.Fault.
func (f HalfClose) Apply(*harness.Lab) error { return f.By.Socket.Shutdown(unix.SHUT_WR) }

// Commands implements harness.Fault.
func (f HalfClose) Commands(*harness.Lab) []string {
	return []string{"# no shell command does it to a program: the program calls shutdown(fd, SHUT_WR)"}
}
