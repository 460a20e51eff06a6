package scenarios

import (
	"fmt"
	"time"

	"github.com/halfopen-lab/halfopen/harness/firewall"
	"github.com/halfopen-lab/halfopen/harness/link"
	"github.com/halfopen-lab/halfopen/harness/quantity"
)

// Title returns the fault's name in tables: in the detection matrix and in the answer of an
// audit, to which promises and baselines refer by it. Parse reads it. Changing it makes them
// stale.
func (f ProcessKilled) Title() string { return "process killed" }

// Title returns the fault's name in tables, as that of ProcessKilled.
func (f HalfClose) Title() string { return "FIN, and the peer reads on" }

// Title returns the fault's name in tables, as that of ProcessKilled.
func (f ProcessStopped) Title() string { return "process stopped" }

// Title returns the fault's name in tables, as that of ProcessKilled.
func (f ResetBothEnds) Title() string { return "RST to both ends" }

// Title returns the fault's name in tables, as that of ProcessKilled: "the peer resets after
// 120 s".
func (f PeerResets) Title() string { return "the peer resets after " + inSeconds(f.After) }

// Title returns the fault's name in tables, as that of ProcessKilled.
func (f ForgedReset) Title() string {
	switch f.Number {
	case InWindow:
		return "forged RST, number in the window"
	case Stale:
		return "forged RST, stale number"
	}
	return "forged RST"
}

// Title returns the fault's name in tables, as that of ProcessKilled.
func (f OneOfTwoPaths) Title() string { return "one of two paths dropped" }

// Title returns the fault's name in tables, as that of ProcessKilled.
func (f PowerOff) Title() string { return "host powered off" }

// Title returns the fault's name in tables, as that of ProcessKilled.
func (f PowerOffFrozen) Title() string { return PowerOff{}.Title() + ", program frozen" }

// Title returns the fault's name in tables, as that of ProcessKilled: "process restarted, away
// for 10 s".
func (f ProcessRestarted) Title() string { return "process restarted, away for " + inSeconds(f.Away) }

// Title returns the fault's name in tables, as that of ProcessKilled: "host rebooted, off for
// 60 s".
func (f Reboot) Title() string { return "host rebooted, off for " + inSeconds(f.Off) }

// Title returns the fault's name in tables, as that of ProcessKilled: "drop in both
// directions", "one-way drop towards the server".
func (f SilentDrop) Title() string {
	if f.Direction == BothWays {
		return fmt.Sprintf("drop %v", f.Direction)
	}
	return fmt.Sprintf("one-way drop %v", f.Direction)
}

// Title returns the fault's name in tables, as that of ProcessKilled: "outage of 45 s".
func (f Outage) Title() string { return "outage of " + inSeconds(f.For) }

// Title returns the fault's name in tables, as that of ProcessKilled: "cable out at the
// client's end".
func (f CableOut) Title() string { return fmt.Sprintf("cable out %v", f.At) }

// Title returns the fault's name in tables, as that of ProcessKilled.
func (f NeighbourLost) Title() string { return "neighbour lost" }

// Title returns the fault's name in tables, as that of ProcessKilled: "ICMP host unreachable".
func (f ICMPError) Title() string { return fmt.Sprintf("ICMP %v", f.Answer) }

// Title returns the fault's name in tables, as that of ProcessKilled: "idle timeout of
// 350 s, silent".
func (f IdleTimeout) Title() string {
	return fmt.Sprintf("idle timeout of %s, %s", inSeconds(f.After), short(f.Then))
}

// Title returns the fault's name in tables, as that of ProcessKilled: "state flushed,
// silent".
func (f StateFlush) Title() string { return "state flushed, " + short(f.Then) }

// Title returns the fault's name in tables, as that of ProcessKilled.
func (f HeartbeatsDropped) Title() string { return "HEARTBEATs dropped" }

// Title returns the fault's name in tables, as that of ProcessKilled.
func (f NATRebinding) Title() string { return "NAT rebinding" }

// Title returns the fault's name in tables, as that of ProcessKilled: "path-MTU black hole".
// That of a path that announces its MTU is its String.
func (f PathMTU) Title() string {
	if f.Filtered {
		return "path-MTU black hole"
	}
	return f.String()
}

// Title returns the fault's name in tables, as that of ProcessKilled: "loss of 10 %", "delay of
// 200 ms". That of any other impairment is its String.
func (f ImpairedPath) Title() string {
	switch {
	case f == ImpairedPath{By: link.Impairment{Loss: f.By.Loss}}:
		return "loss of " + quantity.Percent.Format(int(f.By.Loss))
	case f == ImpairedPath{By: link.Impairment{Delay: f.By.Delay}}:
		return "delay of " + quantity.Milliseconds.Format(quantity.Milliseconds.Of(f.By.Delay))
	}
	return f.String()
}

// Title returns the fault's name in tables, as that of ProcessKilled.
func (f AcceptQueueFull) Title() string { return "accept queue full" }

// Title returns the fault's name in tables, as that of ProcessKilled: "peer away before
// connecting, silent".
func (f ServerAway) Title() string { return fmt.Sprintf("peer away before connecting, %v", f.How) }

func inSeconds(d time.Duration) string { return quantity.Seconds.Format(quantity.Seconds.Of(d)) }

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
