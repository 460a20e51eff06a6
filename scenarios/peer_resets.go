package scenarios

import (
	"fmt"
	"time"

	"github.com/halfopen-lab/halfopen/harness"
)

// PeerResets is an end of a connection that aborts it with RST, as servers and load balancers
// do with idle connections, or with all of them after a time (RFC 9293 §3.10.5). Apply aborts
// at once. It works in every topology.
type PeerResets struct {
	By    *harness.Conn // the end that aborts; must be set
	After time.Duration // how long the connection has then carried no data; the caller waits
}

// String implements harness.Fault.
func (f PeerResets) String() string {
	return fmt.Sprintf("%s aborts the connection, idle for %v, with RST", f.By.Name, f.After)
}

// Apply implements harness.Fault.
func (f PeerResets) Apply(*harness.Lab) error { return f.By.Socket.Abort() }

// Commands implements harness.Fault.
func (f PeerResets) Commands(*harness.Lab) []string {
	self, other := f.By.Local(), f.By.Remote()
	return []string{
		"# on the " + f.By.Host.Name() + " (the kernel sends RST: ss(8), -K)",
		fmt.Sprintf("ss -K src %v sport = %d dst %v dport = %d", self.Addr(), self.Port(), other.Addr(), other.Port()),
	}
}
