package scenarios_test

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
)

func TestAHostVanishesWithoutAWordAndComesBackWithoutMemory(t *testing.T) {
	t.Parallel()
	eachFamily(t, harness.Firewalled, func(t *testing.T, lab *harness.Lab) {
		client, _ := lab.Connect(5000)
		fault := scenarios.PowerOff{Host: lab.Server}

		lab.Apply(fault)
		write(t, client, "request")
		awaitRetransmission(t, client)
		if told := lab.Client.Received(capture.Any(capture.FIN, capture.RST, anyICMP)); len(told) > 0 {
			t.Errorf("the client was told: %v", told)
		}
		if state, err := client.State(); state != sock.Established || err != nil {
			t.Errorf("the client is %v, %v; expected ESTABLISHED: half-open", state, err)
		}

		lab.Heal(fault)
		// RFC 9293 §3.5.1: a rebooted host answers the old connection with RST.
		awaitError(t, client, unix.ECONNRESET)
		again, server := lab.Connect(5000)
		write(t, again, "request")
		expectText(t, server, "request")
	})
}
