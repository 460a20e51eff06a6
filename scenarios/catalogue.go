package scenarios

import (
	"fmt"
	"time"

	"github.com/halfopen-lab/halfopen/harness/firewall"
)

// FirewallTimeout is the idle timeout of the firewalls in the detection matrix and in
// audits: that of Amazon's network load balancers and NAT gateways (fixtures/presets).
const FirewallTimeout = 350 * time.Second

// Title returns the fault's name in tables: in the detection matrix and in the answer of an
// audit, to which promises and baselines refer by it. Changing it makes them stale.
func (f ProcessKilled) Title() string { return "process killed" }

// Title returns the fault's name in tables, as that of ProcessKilled.
func (f ProcessStopped) Title() string { return "process stopped" }

// Title returns the fault's name in tables, as that of ProcessKilled.
func (f PowerOff) Title() string { return "host powered off" }

// Title returns the fault's name in tables, as that of ProcessKilled: "drop towards the
// server".
func (f SilentDrop) Title() string { return fmt.Sprintf("drop %v", f.Direction) }

// Title returns the fault's name in tables, as that of ProcessKilled: "idle timeout of
// 350 s, silent".
func (f IdleTimeout) Title() string {
	return fmt.Sprintf("idle timeout of %.0f s, %s", f.After.Seconds(), short(f.Then))
}

// Title returns the fault's name in tables, as that of ProcessKilled: "state flushed,
// silent".
func (f StateFlush) Title() string { return "state flushed, " + short(f.Then) }

// short returns what a firewall does with a forgotten flow in the words of tables.
func short(then firewall.AfterExpiry) string {
	switch then {
	case firewall.SilentDrop:
		return "silent"
	case firewall.ResetSender:
		return "RST to the sender"
	case firewall.ResetBoth:
		return "RST both ways"
	}
	return then.String()
}
