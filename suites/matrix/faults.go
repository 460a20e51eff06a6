package matrix

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/halfopen-lab/halfopen/fixtures/detection"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	"github.com/halfopen-lab/halfopen/scenarios"
)

// fault is a row of the matrix.
type fault struct {
	protocol detection.Protocol
	name     string
	topology harness.Topology
	apply    func(*ends) harness.Fault
	// first says that the fault is there before the connections are, and that its
	// time counts from when they are.
	first bool
	// connecting says that it is met by connections which are being opened, and so
	// by the client only.
	connecting bool
}

// longest is how long its spec waits.
func (f fault) longest() time.Duration {
	if f.protocol == detection.SCTP {
		return talking
	}
	return quiet
}

// idleTimeout is that of Amazon's network load balancers and NAT gateways.
const idleTimeout = 350 * time.Second

var faults = []fault{
	{name: "process killed", topology: harness.Firewalled,
		apply: func(e *ends) harness.Fault { return scenarios.ProcessKilled{Program: e.peer} }},
	{name: "process stopped", topology: harness.Firewalled,
		apply: func(e *ends) harness.Fault { return scenarios.ProcessStopped{Program: e.peer} }},
	{name: "host powered off", topology: harness.Firewalled,
		apply: func(e *ends) harness.Fault { return scenarios.PowerOff{Host: e.far} }},
	{name: "cable out", topology: harness.Routed,
		apply: func(*ends) harness.Fault { return scenarios.CableOut{At: scenarios.Middle} }},
	{name: "drop towards the server", topology: harness.Firewalled,
		apply: func(*ends) harness.Fault { return scenarios.SilentDrop{Direction: scenarios.TowardsServer} }},
	{name: "drop towards the client", topology: harness.Firewalled,
		apply: func(*ends) harness.Fault { return scenarios.SilentDrop{Direction: scenarios.TowardsClient} }},
	{name: fmt.Sprintf("idle timeout of %.0f s, silent", idleTimeout.Seconds()), topology: harness.Firewalled, first: true,
		apply: func(*ends) harness.Fault { return scenarios.IdleTimeout{After: idleTimeout, Then: firewall.SilentDrop} }},
	{name: fmt.Sprintf("idle timeout of %.0f s, RST to the sender", idleTimeout.Seconds()), topology: harness.Firewalled, first: true,
		apply: func(*ends) harness.Fault {
			return scenarios.IdleTimeout{After: idleTimeout, Then: firewall.ResetSender}
		}},
	{name: fmt.Sprintf("idle timeout of %.0f s, RST both ways", idleTimeout.Seconds()), topology: harness.Firewalled, first: true,
		apply: func(*ends) harness.Fault { return scenarios.IdleTimeout{After: idleTimeout, Then: firewall.ResetBoth} }},
	{name: "state flushed, silent", topology: harness.Firewalled,
		apply: func(*ends) harness.Fault { return scenarios.StateFlush{Then: firewall.SilentDrop} }},
	{name: "state flushed, RST to the sender", topology: harness.Firewalled,
		apply: func(*ends) harness.Fault { return scenarios.StateFlush{Then: firewall.ResetSender} }},
	{name: "NAT rebinding", topology: harness.NATed,
		apply: func(*ends) harness.Fault {
			return scenarios.NATRebinding{Ports: firewall.PortRange{First: 61000, Last: 61999}}
		}},
	{name: "host powered off behind a proxy", topology: harness.Proxied,
		apply: func(e *ends) harness.Fault { return scenarios.PowerOff{Host: e.far} }},
	{name: "accept queue full", topology: harness.Firewalled, first: true, connecting: true,
		apply: func(e *ends) harness.Fault {
			const backlog = 16 // room for all of them, if it were empty
			return scenarios.AcceptQueueFull{Listener: e.lab.Server.Listen(port, backlog), Backlog: backlog}
		}},
	{name: "receiver not reading", topology: harness.Firewalled,
		apply: func(e *ends) harness.Fault { return stall{e} }},
	{name: "path-MTU black hole", topology: harness.Firewalled,
		apply: func(*ends) harness.Fault { return scenarios.PathMTU{MTU: 576, Filtered: true} }},
}

// stall is a peer that does not read any more, on all its connections at once, and
// queues that are full for it.
type stall struct{ *ends }

// String implements harness.Fault.
func (s stall) String() string {
	return "the peer does not read, and every sender writes until it cannot"
}

// Apply implements harness.Fault.
func (s stall) Apply(lab *harness.Lab) error {
	if err := (scenarios.ProcessStopped{Program: s.peer}).Apply(lab); err != nil {
		return err
	}
	errs := make([]error, len(s.connections))
	var senders sync.WaitGroup
	for i, c := range s.connections {
		senders.Go(func() { _, errs[i] = scenarios.Fill(c) })
	}
	senders.Wait()
	return errors.Join(errs...)
}

// Commands implements harness.Fault.
func (s stall) Commands(lab *harness.Lab) []string {
	return scenarios.ProcessStopped{Program: s.peer}.Commands(lab)
}
