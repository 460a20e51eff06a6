package scenarios_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	"github.com/halfopen-lab/halfopen/harness/ladder"
	"github.com/halfopen-lab/halfopen/harness/sock"
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

// A firewall that forgets tells nobody, and its kernel removes the entry at the next packet.
func TestTheLadderSaysWhoKnowsWhatAtTheEnd(t *testing.T) {
	t.Parallel()
	eachFamily(t, harness.Firewalled, func(t *testing.T, lab *harness.Lab) {
		const timeout = time.Second
		lab.Apply(scenarios.IdleTimeout{After: timeout, Then: firewall.ResetSender})
		client, server := lab.Connect(5000)
		time.Sleep(time.Until(client.QuietSince().Add(3 * timeout / 2)))
		write(t, client, "late")
		awaitError(t, client, unix.ECONNRESET)

		l := lab.Ladder("")
		flow := fmt.Sprintf("%v > %v", server.Remote(), server.Local())
		i := slices.IndexFunc(l.Rungs, func(r ladder.Rung) bool { return r.Subject == flow && r.State == "" })
		if i < 0 || l.Rungs[i].Words() != "conntrack entry of "+flow+": expired, no packet for 1.0 s" {
			t.Fatalf("the ladder has no expiry of %s first: %+v", flow, l.Rungs)
		}
		forgotten := l.Rungs[i].At
		if i = slices.IndexFunc(l.Rungs, func(r ladder.Rung) bool { return r.Arrow != nil && r.End == ladder.Dropped }); i < 0 || l.Rungs[i].At < forgotten {
			t.Errorf("the entry expired at %v, and the packet was dropped at %v", forgotten, l.Rungs[max(i, 0)].At)
		}
		standings := l.Standings()
		for host, want := range []string{
			"last packet: forged RST",
			fmt.Sprintf("has forgotten %s (%.3f s); dropped 1 packet", flow, forgotten.Seconds()),
			fmt.Sprintf("ESTABLISHED with %v", server.Remote()),
		} {
			if words := standings[host].Words(); !strings.Contains(words, want) {
				t.Errorf("the %s: %q, expected %q", standings[host].Host, words, want)
			}
		}
	})
}

func TestAHostWithoutPowerHasNoConnection(t *testing.T) {
	t.Parallel()
	eachFamily(t, harness.Proxied, func(t *testing.T, lab *harness.Lab) {
		client, _ := lab.Connect(5000)
		lab.Apply(scenarios.PowerOff{Host: lab.Server})
		write(t, client, "request")
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		proxy := lab.Hosts()[1]
		for !slices.ContainsFunc(proxy.Sockets(), func(e sock.Entry) bool { return e.State == sock.Established && e.Queues.Sent > 0 }) {
			select {
			case <-time.After(time.Millisecond):
			case <-ctx.Done():
				t.Fatalf("the proxy has not passed the request on within %v\n%s", patience, lab.Recent())
			}
		}
		standings := lab.Ladder("").Standings()
		for host, want := range map[int]string{1: ", 7 bytes not acknowledged", 2: "no connection; server: CLOSED"} {
			if words := standings[host].Words(); !strings.Contains(words, want) {
				t.Errorf("the %s: %q, expected %q", standings[host].Host, words, want)
			}
		}
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
