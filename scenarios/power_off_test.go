package scenarios_test

import (
	"context"
	"fmt"
	"os/exec"
	"testing"
	"time"

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

func TestNoPacketOfAProgramComesAfterTheReboot(t *testing.T) {
	t.Parallel()
	eachFamily(t, harness.Firewalled, func(t *testing.T, lab *harness.Lab) {
		listener := lab.Server.Listen(5000, 1)
		entrance := lab.Entrance(5000)
		// bash opens connections of its own and waits until it is killed.
		program := lab.Client.Start(exec.Command("bash", "-c", fmt.Sprintf("exec 3<>/dev/tcp/%v/%d; read <&3", entrance.Addr(), entrance.Port())))
		server := listener.Accept("server")
		fault := scenarios.PowerOff{Host: lab.Client}

		lab.Apply(fault)
		if states := lab.Client.States(); len(states) > 0 {
			t.Errorf("%v ended with the power, and its host still has sockets: %v", program, states)
		}
		lab.Heal(fault)
		// Retransmissions of a FIN would come after 0.2, 0.6 and 1.4 s.
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		if err := server.AwaitReadable(ctx); err != context.DeadlineExceeded {
			t.Errorf("after the reboot the server has something to read (%v): expected nothing\n%s", err, lab.Recent())
		}
	})
}
