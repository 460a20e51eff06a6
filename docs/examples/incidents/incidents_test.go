// Package incidents has three incidents that nobody noticed in time, as tests. Their ladders are
// the pictures of docs/reading-a-report.md.
package incidents

import (
	"testing"
	"time"

	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	_ "github.com/halfopen-lab/halfopen/harness/proxy/server"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
)

func TestMain(m *testing.M) { harness.Main(m.Run) }

// keep puts the story of the lab into the report.
func keep(t *testing.T, lab *harness.Lab, name, title string) {
	t.Helper()
	if err := harness.KeepLadder(name, lab.Ladder(title)); err != nil {
		t.Error(err)
	}
}

func TestAFirewallForgetsAnIdleFlow(t *testing.T) {
	RegisterTestingT(t)
	lab := harness.New(t, harness.Firewalled, sock.IPv4)
	lab.Apply(scenarios.IdleTimeout{After: 350 * time.Second, Then: firewall.ResetSender})
	client, server := lab.Connect(5000)

	time.Sleep(351 * time.Second)
	Expect(client.Write("late")).To(Succeed())

	Expect(client).To(FailWith(unix.ECONNRESET, Within(time.Second)))
	Expect(server).To(BeInState(sock.Established), "half-open: only one end knows")
	keep(t, lab, "firewall-forgets", "A firewall forgets an idle flow, and resets who speaks next")
}

func TestAPeerBehindAProxyDies(t *testing.T) {
	RegisterTestingT(t)
	lab := harness.New(t, harness.Proxied, sock.IPv4)
	client, _ := lab.Connect(5000)
	client.Keepalive(oracle.Keepalive{Idle: 60 * time.Second, Interval: 10 * time.Second, Count: 3})

	lab.Apply(scenarios.PowerOff{Host: lab.Server})
	Expect(client.Write("request")).To(Succeed())

	Expect(client).To(StayAlive(10*time.Minute), "the proxy answers its probes, and nobody its request")
	keep(t, lab, "peer-behind-a-proxy", "A server behind a proxy loses power: the proxy answers the client's probes")
}

func TestAReaderStalls(t *testing.T) {
	RegisterTestingT(t)
	lab := harness.New(t, harness.Direct, sock.IPv4)
	client, server := lab.Connect(5000)
	client.Keepalive(oracle.Keepalive{Idle: 60 * time.Second, Interval: 10 * time.Second, Count: 3})

	lab.Apply(&scenarios.ReceiverStalls{Sender: client, Receiver: server})

	Expect(client).To(StayAlive(10 * time.Minute))
	Expect(client.Entry().Timer).To(Equal(sock.PersistTimer))
	keep(t, lab, "reader-stalls", "A server stops reading: its kernel answers each probe, and its window stays zero")
}
