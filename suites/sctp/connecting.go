package sctp

import (
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

// hasty gives up connecting after three INITs. The second INIT follows after 3 s, the
// kernel's initial RTO; after it each wait is 1 s.
var (
	hasty     = sock.Init{Attempts: 2, MaxTimeout: time.Second}
	hastyEnds = oracle.InitFailure(3*time.Second, time.Second, 2)
)

var _ = Describe("Connecting by SCTP", Rows("S9"), Needs(require.SCTP), func() {
	EachFamily(func(family sock.Family) {
		It("to a port on which nobody listens: ABORT, and ECONNREFUSED at once", func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			client := lab.Client.NewAssociation("client", 0)

			Expect(client.Connect(lab.Server.AddressPort(diameterPort))).To(MatchError(unix.EINPROGRESS))

			Expect(client).To(FailToConnect(unix.ECONNREFUSED, Within(time.Second)))
			Expect(lab.Client.Received(capture.SCTP(capture.ABORT))).To(HaveLen(1))
		})

		DescribeTable("into silence: ETIMEDOUT when the INITs are used up",
			func(settings sock.Init, ends oracle.Window, inits int) {
				lab := harness.New(GinkgoT(), harness.Firewalled, family)
				client := lab.Client.NewAssociation("client", 0)
				Expect(client.Socket.SetInit(settings)).To(Succeed())

				lab.Apply(scenarios.SilentDrop{})
				sent := time.Now()
				Expect(client.Connect(lab.Server.AddressPort(diameterPort))).To(MatchError(unix.EINPROGRESS))

				Expect(client).To(FailToConnect(unix.ETIMEDOUT, During(ends, sent)))
				Expect(lab.Client.Sent(capture.SCTP(capture.INIT))).To(HaveLen(inits))
			},
			Entry("with the kernel's settings", Waits(375*time.Second), sock.Init{}, oracle.InitFailure(3*time.Second, time.Minute, 8), 9),
			Entry("with two more attempts, a second apart", Waits(6*time.Second), hasty, hastyEnds, 3),
		)

		It("into ICMP port unreachable: ETIMEDOUT as into silence", Waits(6*time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			client := lab.Client.NewAssociation("client", 0)
			Expect(client.Socket.SetInit(hasty)).To(Succeed())

			lab.Apply(scenarios.ICMPError{Answer: scenarios.PortUnreachable})
			sent := time.Now()
			Expect(client.Connect(lab.Server.AddressPort(diameterPort))).To(MatchError(unix.EINPROGRESS))

			Expect(client).To(FailToConnect(unix.ETIMEDOUT, During(hastyEnds, sent)))
			Expect(lab.Client.Received(capture.ICMP("Port"))).To(HaveLen(3))
		})
	})

	// A blocking connect(2) gives ECONNREFUSED for everything that is not a timeout
	// (net/sctp/socket.c, sctp_wait_for_connect).
	It("into ICMP protocol unreachable, which only IPv4 has: ENOPROTOOPT at once", func() {
		lab := harness.New(GinkgoT(), harness.Firewalled, sock.IPv4)
		client := lab.Client.NewAssociation("client", 0)

		lab.Apply(scenarios.ICMPError{Answer: scenarios.ProtocolUnreachable})
		Expect(client.Connect(lab.Server.AddressPort(diameterPort))).To(MatchError(unix.EINPROGRESS))

		Expect(client).To(FailToConnect(unix.ENOPROTOOPT, Within(time.Second)))
	})
})
