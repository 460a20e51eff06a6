package firewall_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

func TestFindKnowsAFlowByTheAddressesThatTheClientSees(t *testing.T) {
	for _, topology := range []harness.Topology{harness.Firewalled, harness.NATed} {
		for _, family := range []sock.Family{sock.IPv4, sock.IPv6} {
			t.Run(fmt.Sprintf("%v %v", topology, family), func(t *testing.T) {
				t.Parallel()
				lab := harness.New(t, topology, family)
				must(t, lab.Firewall().IdleTimeout(time.Hour, firewall.SilentDrop))
				client, server := lab.Connect(5000)

				e, ok, err := lab.Firewall().Find(client.Local(), client.Remote())
				// A server answers to the address of the client that it sees.
				if err != nil || !ok || e.From != client.Local() || e.To != client.Remote() || e.ReplyFrom != server.Local() || e.ReplyTo != server.Remote() {
					t.Fatalf("Find: %v, %v, %v; expected %v > %v, replies %v > %v",
						e, ok, err, client.Local(), client.Remote(), server.Local(), server.Remote())
				}
				if e.Protocol != unix.IPPROTO_TCP || e.State != "ESTABLISHED" || !e.Assured || e.Timeout > time.Hour || e.Timeout < time.Hour-5*time.Second {
					t.Errorf("Find: %v; expected TCP, ESTABLISHED, assured, an hour to go", e)
				}

				otherPort := netip.AddrPortFrom(client.Local().Addr(), client.Local().Port()^1)
				for what, flow := range map[string][2]netip.AddrPort{
					"the other way round": {client.Remote(), client.Local()},
					"from another port":   {otherPort, client.Remote()},
					"to another port":     {client.Local(), netip.AddrPortFrom(client.Remote().Addr(), 5001)},
				} {
					if e, ok, err := lab.Firewall().Find(flow[0], flow[1]); ok || err != nil {
						t.Errorf("Find %s: %v, %v, %v; expected no entry", what, e, ok, err)
					}
				}
			})
		}
	}
}

func TestForgetTakesOneFlowAndFlushAll(t *testing.T) {
	t.Parallel()
	lab := firewalled(t)
	must(t, lab.Firewall().Policy(firewall.SilentDrop))
	one, _ := lab.Connect(5001)
	two, _ := lab.Connect(5002)
	three, _ := lab.Connect(5003)
	known := func(when string, want ...bool) {
		t.Helper()
		for i, c := range []*harness.Conn{one, two, three} {
			if _, ok, err := lab.Firewall().Find(c.Local(), c.Remote()); ok != want[i] || err != nil {
				t.Errorf("%s, flow %d is known: %v, %v; expected %v", when, i+1, ok, err, want[i])
			}
		}
	}
	known("at first", true, true, true)
	must(t, lab.Firewall().Forget(two.Local(), two.Remote()))
	known("after Forget of the second", true, false, true)
	must(t, lab.Firewall().Flush())
	known("after Flush", false, false, false)
	if entries, err := lab.Firewall().Entries(); len(entries) > 0 || err != nil {
		t.Errorf("after Flush, there are %v, %v", entries, err)
	}
}

func TestForgetOfAnUnknownFlowSaysWhichAndWhy(t *testing.T) {
	for _, after := range []firewall.AfterExpiry{firewall.SilentDrop, firewall.ResetBoth} {
		t.Run(after.String(), func(t *testing.T) {
			t.Parallel()
			lab := firewalled(t)
			must(t, lab.Firewall().Policy(after))
			err := lab.Firewall().Forget(netip.MustParseAddrPort("192.0.2.10:40000"), netip.MustParseAddrPort("198.51.100.20:5000"))
			if err == nil || !strings.HasPrefix(err.Error(), "forgetting the flow 192.0.2.10:40000 > 198.51.100.20:5000 on firewall: ") ||
				!strings.HasSuffix(err.Error(), "there may be no entry: the firewall tracks flows that began after its policy was set") {
				t.Errorf("Forget: %v; expected the flow, the host and a hint", err)
			}
		})
	}
}

// The rules of a firewall without a policy do not ask for states, so it tracks nothing.
func TestAFlowFromBeforeThePolicyIsUnknown(t *testing.T) {
	t.Parallel()
	lab := firewalled(t)
	client, _ := lab.Connect(5000)
	must(t, lab.Firewall().Policy(firewall.SilentDrop))
	if e, ok, err := lab.Firewall().Find(client.Local(), client.Remote()); ok || err != nil {
		t.Errorf("Find: %v, %v, %v; expected no entry", e, ok, err)
	}
}

// conntrack(8) prints the same in another order.
func TestAnEntrySaysWhatTheFirewallKnows(t *testing.T) {
	e := firewall.Entry{
		From: netip.MustParseAddrPort("192.0.2.10:40000"), To: netip.MustParseAddrPort("198.51.100.20:5000"),
		ReplyFrom: netip.MustParseAddrPort("198.51.100.20:5000"), ReplyTo: netip.MustParseAddrPort("198.51.100.10:41000"),
		Protocol: unix.IPPROTO_TCP, State: "ESTABLISHED", Timeout: 3 * time.Second, Assured: true,
	}
	if got, want := e.String(), "ESTABLISHED protocol 6 192.0.2.10:40000 > 198.51.100.20:5000, replies 198.51.100.20:5000 > 198.51.100.10:41000, forgotten in 3s ASSURED"; got != want {
		t.Errorf("it says %q, expected %q", got, want)
	}
}
