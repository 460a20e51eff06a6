package matrix

import (
	"github.com/halfopen-lab/halfopen/fixtures/detection"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	"github.com/halfopen-lab/halfopen/scenarios"
)

// faultsOfSCTP holds the rows of SCTP. Those of a firewall that sends RST are only for TCP.
var faultsOfSCTP = []fault{
	{protocol: detection.SCTP, name: scenarios.ProcessKilled{}.Title(), topology: harness.Firewalled,
		apply: func(e *ends) harness.Fault { return scenarios.ProcessKilled{Program: e.peer} }},
	{protocol: detection.SCTP, name: scenarios.ProcessStopped{}.Title(), topology: harness.Firewalled,
		apply: func(e *ends) harness.Fault { return scenarios.ProcessStopped{Program: e.peer} }},
	{protocol: detection.SCTP, name: scenarios.PowerOff{}.Title(), topology: harness.Firewalled,
		apply: func(e *ends) harness.Fault { return scenarios.PowerOff{Host: e.far} }},
	dropping(detection.SCTP, scenarios.TowardsServer),
	dropping(detection.SCTP, scenarios.TowardsClient),
	{protocol: detection.SCTP, name: scenarios.HeartbeatsDropped{}.Title(), topology: harness.Firewalled,
		apply: func(*ends) harness.Fault { return scenarios.HeartbeatsDropped{} }},
	forgetting(detection.SCTP, firewall.SilentDrop),
	flushed(detection.SCTP, firewall.SilentDrop),
	{protocol: detection.SCTP, name: scenarios.OneOfTwoPaths{}.Title(), topology: harness.Multihomed,
		apply: func(*ends) harness.Fault { return scenarios.OneOfTwoPaths{} }},
	{protocol: detection.SCTP, name: "path-MTU black hole", topology: harness.Firewalled,
		apply: func(*ends) harness.Fault { return scenarios.PathMTU{MTU: 576, Filtered: true} }},
}
