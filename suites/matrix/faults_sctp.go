package matrix

import (
	"fmt"

	"github.com/halfopen-lab/halfopen/fixtures/detection"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	"github.com/halfopen-lab/halfopen/scenarios"
)

// faultsOfSCTP are the rows of SCTP: what a firewall with RST does is TCP's alone.
var faultsOfSCTP = []fault{
	{protocol: detection.SCTP, name: "process killed", topology: harness.Firewalled,
		apply: func(e *ends) harness.Fault { return scenarios.ProcessKilled{Program: e.peer} }},
	{protocol: detection.SCTP, name: "process stopped", topology: harness.Firewalled,
		apply: func(e *ends) harness.Fault { return scenarios.ProcessStopped{Program: e.peer} }},
	{protocol: detection.SCTP, name: "host powered off", topology: harness.Firewalled,
		apply: func(e *ends) harness.Fault { return scenarios.PowerOff{Host: e.far} }},
	{protocol: detection.SCTP, name: "drop towards the server", topology: harness.Firewalled,
		apply: func(*ends) harness.Fault { return scenarios.SilentDrop{Direction: scenarios.TowardsServer} }},
	{protocol: detection.SCTP, name: "drop towards the client", topology: harness.Firewalled,
		apply: func(*ends) harness.Fault { return scenarios.SilentDrop{Direction: scenarios.TowardsClient} }},
	{protocol: detection.SCTP, name: "HEARTBEATs dropped", topology: harness.Firewalled,
		apply: func(*ends) harness.Fault { return scenarios.HeartbeatsDropped{} }},
	{protocol: detection.SCTP, name: fmt.Sprintf("idle timeout of %.0f s, silent", idleTimeout.Seconds()), topology: harness.Firewalled, first: true,
		apply: func(*ends) harness.Fault { return scenarios.IdleTimeout{After: idleTimeout, Then: firewall.SilentDrop} }},
	{protocol: detection.SCTP, name: "state flushed, silent", topology: harness.Firewalled,
		apply: func(*ends) harness.Fault { return scenarios.StateFlush{Then: firewall.SilentDrop} }},
	{protocol: detection.SCTP, name: "one of two paths dropped", topology: harness.Multihomed,
		apply: func(*ends) harness.Fault { return scenarios.SilentDrop{} }},
}
