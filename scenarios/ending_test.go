package scenarios_test

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
)

func TestAfterAnOutageTheDataArrives(t *testing.T) {
	t.Parallel()
	eachFamily(t, harness.Routed, func(t *testing.T, lab *harness.Lab) {
		client, server := lab.Connect(5000)
		outage := scenarios.Outage{For: time.Second}
		lab.Apply(outage)
		write(t, client, "request")
		awaitRetransmission(t, client)
		expectNothing(t, server)
		lab.Heal(outage)
		expectText(t, server, "request")
	})
}

func TestARebootedHostResetsWhatItHad(t *testing.T) {
	t.Parallel()
	eachFamily(t, harness.Firewalled, func(t *testing.T, lab *harness.Lab) {
		client, _ := lab.Connect(5000)
		reboot := scenarios.Reboot{Host: lab.Server, Off: time.Second}
		lab.Apply(reboot)
		write(t, client, "request")
		awaitRetransmission(t, client)
		lab.Heal(reboot)
		awaitError(t, client, unix.ECONNRESET)
	})
}

func TestAnEndThatClosesHalfReadsOn(t *testing.T) {
	t.Parallel()
	eachFamily(t, harness.Direct, func(t *testing.T, lab *harness.Lab) {
		client, server := lab.Connect(5000)
		lab.Apply(scenarios.HalfClose{By: server})
		write(t, client, "request")
		expectText(t, server, "request")
		if fins := lab.Client.Received(capture.FIN); len(fins) != 1 {
			t.Errorf("the client received %d FINs, expected one", len(fins))
		}
	})
}

func TestAPeerThatResetsIsGoneForBoth(t *testing.T) {
	t.Parallel()
	eachFamily(t, harness.Direct, func(t *testing.T, lab *harness.Lab) {
		client, server := lab.Connect(5000)
		lab.Apply(scenarios.PeerResets{By: server, After: 0})
		awaitError(t, client, unix.ECONNRESET)
		if n := lab.Server.Count(sock.Established); n != 0 {
			t.Errorf("the server has %d connections", n)
		}
	})
}

// What a client gets of a server that is away, while it connects.
func TestAServerThatIsAwayAnswersInItsWay(t *testing.T) {
	t.Parallel()
	for how, want := range map[scenarios.Absence]error{scenarios.Refused: unix.ECONNREFUSED, scenarios.Unreachable: unix.EHOSTUNREACH} {
		eachFamily(t, harness.Routed, func(t *testing.T, lab *harness.Lab) {
			lab.Apply(scenarios.ServerAway{How: how})
			client := lab.Client.NewSocket("client")
			err := client.Connect(lab.Entrance(5000))
			if err == unix.EINPROGRESS {
				err = client.AwaitConnected(t.Context())
			}
			if err != want {
				t.Errorf("%v: %v, expected %v", how, err, want)
			}
		})
	}
	lab := harness.New(t, harness.Routed, sock.IPv4)
	lab.Apply(scenarios.ServerAway{})
	client := lab.Client.NewSocket("client")
	if err := client.Connect(lab.Entrance(5000)); err != unix.EINPROGRESS {
		t.Fatalf("connecting: %v", err)
	}
	time.Sleep(1500 * time.Millisecond) // the first retransmission is sent after a second
	if got := lab.Client.Received(capture.Any(capture.SYNACK, capture.RST, anyICMP)); len(got) > 0 {
		t.Errorf("the client received %v, expected nothing", got)
	}
	listening := harness.New(t, harness.Direct, sock.IPv4)
	listening.Server.Listen(5000, 1)
	expectError(t, listening, scenarios.ServerAway{How: scenarios.Refused}, "a program on the server listens: end it, or do not start it")
}
