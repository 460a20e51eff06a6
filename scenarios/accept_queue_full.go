package scenarios

import (
	"fmt"
	"net/netip"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/oracle"
)

// AcceptQueueFull fills the accept queue of a listener whose program does not accept: as many
// clients connect as the queue holds (the backlog and one more: include/net/sock.h,
// sk_acceptq_is_full). Each of them believes that it is served. Apply fails the test if one
// of them cannot connect. It works in every topology in which the client reaches the listener
// without a proxy.
type AcceptQueueFull struct {
	Listener *harness.Listener // must be set, and its queue must be empty
	Backlog  int               // the number given to listen(2); the queue of a backlog of 0 holds one client
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

// Heal implements harness.Healer: it makes the server accept every client in the queue.
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
