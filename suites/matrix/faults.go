package matrix

import (
	"errors"
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
	// first means that the fault is applied before the connections are made. The time of its
	// outcomes counts from the moment at which they are made.
	first bool
	// connecting means that the fault meets connections that are being opened, and so only
	// the client.
	connecting bool
}

// longest returns how long the fault's specs wait.
func (f fault) longest() time.Duration {
	if f.protocol == detection.SCTP {
		return talking
	}
	return quiet
}

// dropping returns the row of a path that drops one direction.
func dropping(protocol detection.Protocol, direction scenarios.Direction) fault {
	drop := scenarios.SilentDrop{Direction: direction}
	return fault{protocol: protocol, name: drop.Title(), topology: harness.Firewalled,
		apply: func(*ends) harness.Fault { return drop }}
}

// forgetting returns the row of a firewall that forgets idle flows.
func forgetting(protocol detection.Protocol, then firewall.AfterExpiry) fault {
	timeout := scenarios.IdleTimeout{After: scenarios.FirewallTimeout, Then: then}
	return fault{protocol: protocol, name: timeout.Title(), topology: harness.Firewalled, first: true,
		apply: func(*ends) harness.Fault { return timeout }}
}

// flushed returns the row of a firewall that loses its state.
func flushed(protocol detection.Protocol, then firewall.AfterExpiry) fault {
	flush := scenarios.StateFlush{Then: then}
	return fault{protocol: protocol, name: flush.Title(), topology: harness.Firewalled,
		apply: func(*ends) harness.Fault { return flush }}
}

var faults = []fault{
	{name: scenarios.ProcessKilled{}.Title(), topology: harness.Firewalled,
		apply: func(e *ends) harness.Fault { return scenarios.ProcessKilled{Program: e.peer} }},
	{name: scenarios.ProcessStopped{}.Title(), topology: harness.Firewalled,
		apply: func(e *ends) harness.Fault { return scenarios.ProcessStopped{Program: e.peer} }},
	{name: scenarios.PowerOff{}.Title(), topology: harness.Firewalled,
		apply: func(e *ends) harness.Fault { return scenarios.PowerOff{Host: e.far} }},
	{name: "cable out", topology: harness.Routed,
		apply: func(*ends) harness.Fault { return scenarios.CableOut{At: scenarios.Middle} }},
	dropping(detection.TCP, scenarios.TowardsServer),
	dropping(detection.TCP, scenarios.TowardsClient),
	forgetting(detection.TCP, firewall.SilentDrop),
	forgetting(detection.TCP, firewall.ResetSender),
	forgetting(detection.TCP, firewall.ResetBoth),
	flushed(detection.TCP, firewall.SilentDrop),
	flushed(detection.TCP, firewall.ResetSender),
	{name: "NAT rebinding", topology: harness.NATed,
		apply: func(*ends) harness.Fault {
			return scenarios.NATRebinding{Ports: firewall.PortRange{First: 61000, Last: 61999}}
		}},
	{name: scenarios.PowerOff{}.Title() + " behind a proxy", topology: harness.Proxied,
		apply: func(e *ends) harness.Fault { return scenarios.PowerOff{Host: e.far} }},
	{name: "accept queue full", topology: harness.Firewalled, first: true, connecting: true,
		apply: func(e *ends) harness.Fault {
			const backlog = 16 // an empty queue of this backlog would hold all watchers
			return scenarios.AcceptQueueFull{Listener: e.lab.Server.Listen(port, backlog), Backlog: backlog}
		}},
	{name: "receiver not reading", topology: harness.Firewalled,
		apply: func(e *ends) harness.Fault { return stall{e} }},
	{name: "path-MTU black hole", topology: harness.Firewalled,
		apply: func(*ends) harness.Fault { return scenarios.PathMTU{MTU: 576, Filtered: true} }},
}

// stall is a peer that stops reading on all its connections at once, and senders that fill
// their queues.
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
