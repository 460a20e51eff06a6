package scenarios

import (
	"fmt"
	"net/netip"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/oracle"
)

// AcceptQueueFull fills the accept queue of a listener that nobody serves: as many
// clients connect as the queue holds, and each believes that it is served. Heal
// accepts them all.
type AcceptQueueFull struct {
	Listener *harness.Listener
	Backlog  int // as given to listen(2)
}

// String implements harness.Fault.
func (f AcceptQueueFull) String() string {
	return fmt.Sprintf("the accept queue (backlog %d) is full", f.Backlog)
}

// Apply implements harness.Fault.
func (f AcceptQueueFull) Apply(lab *harness.Lab) error {
	entrance := f.entrance(lab)
	for i := range oracle.AcceptQueue(f.Backlog, oracle.Somaxconn) {
		lab.Client.NewSocket(fmt.Sprintf("queued client %d", i+1)).MustConnect(entrance)
	}
	return nil
}

// Heal makes the server accept everybody who waits.
func (f AcceptQueueFull) Heal(lab *harness.Lab) error {
	for i := range oracle.AcceptQueue(f.Backlog, oracle.Somaxconn) {
		f.Listener.Accept(fmt.Sprintf("server of queued client %d", i+1))
	}
	return nil
}

// Commands implements harness.Fault.
func (f AcceptQueueFull) Commands(lab *harness.Lab) []string {
	entrance := f.entrance(lab)
	return []string{
		"# on the server: a program that listens and does not accept",
		"kill -STOP $(pidof PROGRAM)",
		"# on the client",
		fmt.Sprintf("for i in $(seq %d); do nc %v %d & done", oracle.AcceptQueue(f.Backlog, oracle.Somaxconn), entrance.Addr(), entrance.Port()),
	}
}

func (f AcceptQueueFull) entrance(lab *harness.Lab) netip.AddrPort {
	return lab.Entrance(f.Listener.Local().Port())
}
