package recovery

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/halfopen-lab/halfopen/fixtures"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("A client that has connected again", Rows("R4"), func() {
	EachFamily(func(family sock.Family) {
		k := oracle.Keepalive{Idle: time.Second, Interval: time.Second, Count: 2}

		// connectedAgain makes the client lose its first connection and connect again.
		connectedAgain := func(settings fixtures.Requester) (lab *harness.Lab, client *harness.Program) {
			settings.Interval, settings.Detect, settings.Reconnect = never, k, oracle.Reconnection{Backoff: 500 * time.Millisecond}
			lab = harness.New(GinkgoT(), harness.Firewalled, family)
			server := lab.StartServer(port, fixtures.Responder{})
			client = lab.StartClient(port, settings)
			client.Await(fixtures.Answered)
			Expect(established(lab.Client).Timer).To(Equal(sock.KeepaliveTimer), "the first connection")

			lab.Apply(scenarios.ProcessKilled{Program: server})
			lost := client.Await(fixtures.Lost).At
			lab.StartServer(port, fixtures.Responder{})
			Expect(client).To(Announce(fixtures.Reconnected, During(settings.Reconnect.Refused(0), lost)))
			nextAfter(client, fixtures.Answered, lost, time.Second)
			return lab, client
		}

		It("and has set its options again, notices the second death as the first", Waits(4*time.Second), func() {
			lab, client := connectedAgain(fixtures.Requester{})
			Expect(established(lab.Client).Timer).To(Equal(sock.KeepaliveTimer))

			lab.Apply(scenarios.PowerOff{Host: lab.Server})
			quiet := quietSince(lab.Client)
			second := nextAfter(client, fixtures.Lost, quiet, 2*k.Death().Latest)

			Expect(second.At).To(Happen(During(k.Death(), quiet)))
			Expect(second.Text).To(Equal("ETIMEDOUT"))
		})

		It("and has set its options on the first connection only, is blind", Waits(11*time.Second), func() {
			lab, client := connectedAgain(fixtures.Requester{DetectOnce: true})
			Expect(established(lab.Client).Timer).To(Equal(sock.NoTimer))

			lab.Apply(scenarios.PowerOff{Host: lab.Server})
			time.Sleep(3 * k.Death().Latest)

			Expect(lab.Server.States()).To(BeEmpty(), "the server is gone")
			Expect(all(client, fixtures.Lost)).To(HaveLen(1), "the first one")
			Expect(established(lab.Client).State).To(Equal(sock.Established))
			Expect(lab.Client.Sent(capture.All(capture.KeepaliveProbe, capture.After(client.Await(fixtures.Reconnected).At)))).To(BeEmpty())
		})
	})
})
