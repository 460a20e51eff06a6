package sctp

import (
	"bytes"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/require"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("An SCTP server that does not accept", Rows("S11"), Needs(require.SCTP), func() {
	EachFamily(func(family sock.Family) {
		// The kernel checks the queue in net/sctp/sm_statefuns.c, sctp_sf_do_5_1D_ce.
		It("holds as many clients as its backlog and one more, and refuses the next one at once, with ABORT to its cookie", func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			listener := lab.Server.NewAssociation("listener", diameterPort)
			Expect(listener.Socket.Listen(2)).To(Succeed())

			for range 3 {
				lab.DialSCTP(diameterPort)
			}
			one := lab.Client.NewAssociation("one more client", 0)
			Expect(one.Connect(lab.Server.AddressPort(diameterPort))).To(MatchError(unix.EINPROGRESS))

			Expect(one).To(FailToConnect(unix.ECONNREFUSED, Within(time.Second)))
			Expect(lab.Client.Received(capture.SCTP(capture.INITACK))).To(HaveLen(4), "INIT is answered although the queue is full")
			Expect(lab.Client.Received(capture.SCTP(capture.ABORT))).To(HaveLen(1))

			listener.Accept("served")
			lab.DialSCTP(diameterPort)
		})
	})
})

var _ = Describe("An SCTP receiver that does not read", Rows("S11"), Needs(require.SCTP), func() {
	EachFamily(func(family sock.Family) {
		It("stalls the sender and is not taken for dead: an hour later every message is there", Waits(time.Hour), Costs(12), func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			client, server := lab.Associate(diameterPort, nil)

			messages := fill(client)
			time.Sleep(time.Hour)

			Expect(client.State()).To(Equal(sock.SCTPEstablished))
			Expect(client.Socket.SendMessage(0, diameter, message)).To(MatchError(unix.EAGAIN))
			for range messages {
				Expect(server.Read()).To(HaveField("Data", message))
			}
			Expect(client.Write(0, diameter, "and on")).To(Succeed())
			Expect(server.ReadToEnd(time.Second)).To(Equal([]string{`"and on"`, "nothing"}))
		})

		DescribeTable("is noticed by its sender if it vanishes",
			func(settings oracle.SCTP) {
				lab := harness.New(GinkgoT(), harness.Firewalled, family)
				client, _ := lab.Associate(diameterPort, detecting(settings))
				fill(client)

				lab.Apply(scenarios.SilentDrop{})
				since := time.Now()

				Expect(client).To(FailWith(unix.ETIMEDOUT, During(settings.InFlight(rtoOf(client)), since)))
			},
			Entry("with the kernel's settings", Waits(410*time.Second), oracle.DefaultSCTP()),
			Entry("with all four settings tuned", Waits(5*time.Second), quick),
		)
	})
})

// message is one that fits into a packet.
var message = bytes.Repeat([]byte("x"), 1000)

// fill writes until the kernel takes no more messages for a while, and returns how many it
// took.
func fill(a *harness.Association) (messages int) {
	GinkgoHelper()
	const longerThanSACKsAreDelayed = 500 * time.Millisecond
	for since := time.Now(); time.Since(since) < longerThanSACKsAreDelayed; {
		err := a.Socket.SendMessage(0, diameter, message)
		if err == nil {
			messages++
			since = time.Now()
			continue
		}
		Expect(err).To(Equal(unix.EAGAIN))
		time.Sleep(time.Millisecond)
	}
	return messages
}
