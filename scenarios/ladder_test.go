package scenarios_test

import (
	"fmt"
	"slices"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/ladder"
	"github.com/halfopen-lab/halfopen/scenarios"
)

// drawn returns the packets of the lab's ladder, each in a line: what it is, its way, its end.
func drawn(lab *harness.Lab) (lines []string) {
	l := lab.Ladder("")
	for _, r := range l.Rungs {
		if r.Arrow == nil {
			continue
		}
		line := fmt.Sprintf("%s: %s > %s", r.Brief, l.Hosts[r.Host].Name, l.Hosts[r.To].Name)
		if r.Forged {
			line = "forged " + line
		}
		if r.End != "" {
			line += ", " + string(r.End)
		}
		lines = append(lines, line)
	}
	return lines
}

// expectDrawn asserts that the ladder has a packet.
func expectDrawn(t *testing.T, lab *harness.Lab, line string) {
	t.Helper()
	if lines := drawn(lab); !slices.Contains(lines, line) {
		t.Errorf("the ladder has the packets %q, expected one of %q", lines, line)
	}
}

func TestTheLadderShowsWhereAPacketDied(t *testing.T) {
	t.Parallel()
	eachFamily(t, harness.Firewalled, func(t *testing.T, lab *harness.Lab) {
		client, server := lab.Connect(5000)
		expectDrawn(t, lab, "SYN: client > server")
		expectDrawn(t, lab, "SYN,ACK: server > client")

		lab.Apply(scenarios.SilentDrop{Direction: scenarios.TowardsServer})
		write(t, client, "request")
		awaitRetransmission(t, client)
		expectDrawn(t, lab, "PSH,ACK 7 bytes: client > firewall, dropped")
		expectDrawn(t, lab, "retransmission: client > firewall, dropped")
		lab.Heal(scenarios.SilentDrop{Direction: scenarios.TowardsServer})
		expectText(t, server, "request")
		expectDrawn(t, lab, "retransmission: client > server")

		lab.Apply(scenarios.ForgedReset{To: scenarios.End(client), Number: scenarios.Exact})
		awaitError(t, client, unix.ECONNRESET)
		expectDrawn(t, lab, "forged RST: firewall > client")
	})
}

func TestTheLadderFollowsAPacketThroughANAT(t *testing.T) {
	t.Parallel()
	eachFamily(t, harness.NATed, func(t *testing.T, lab *harness.Lab) {
		client, server := lab.Connect(5000)
		write(t, client, "hello")
		expectText(t, server, "hello")
		expectDrawn(t, lab, "PSH,ACK 5 bytes: client > server")
		for _, line := range drawn(lab) {
			if slices.Contains([]string{"forged SYN,ACK: firewall > client", "SYN: client > firewall, dropped"}, line) {
				t.Errorf("the ladder has %q: the NAT's own address is no forgery", line)
			}
		}
	})
}

func TestTheLadderEndsAtAProxy(t *testing.T) {
	t.Parallel()
	eachFamily(t, harness.Proxied, func(t *testing.T, lab *harness.Lab) {
		client, server := lab.Connect(5000)
		write(t, client, "hello")
		expectText(t, server, "hello")
		expectDrawn(t, lab, "PSH,ACK 5 bytes: client > proxy")
		expectDrawn(t, lab, "PSH,ACK 5 bytes: proxy > server")
	})
}

func TestAPacketOnAPulledCableIsLost(t *testing.T) {
	t.Parallel()
	eachFamily(t, harness.Routed, func(t *testing.T, lab *harness.Lab) {
		client, _ := lab.Connect(5000)
		lab.Apply(scenarios.CableOut{At: scenarios.Middle})
		write(t, client, "request")
		awaitRetransmission(t, client)
		l := lab.Ladder("")
		if !slices.ContainsFunc(l.Rungs, func(r ladder.Rung) bool {
			return r.Arrow != nil && r.Brief == "retransmission" && r.End != "" && r.To < len(l.Hosts)-1
		}) {
			t.Errorf("no retransmission ended before the server: %q", drawn(lab))
		}
	})
}
