package sctp

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/halfopen-lab/halfopen/fixtures"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/require"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("An SCTP client that vanishes and comes back from the same port", Rows("S10"), Needs(require.SCTP), func() {
	EachFamily(func(family sock.Family) {
		It("replaces its association: the server still has one, is told RESTART, and uses it as before", func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			gone, server := lab.Associate(diameterPort, func(_, listener *harness.Association) { listener.Subscribe() })
			port := gone.Local().Port()
			outage := scenarios.SilentDrop{}
			lab.Apply(outage)
			gone.Abort()
			lab.Heal(outage)

			client := lab.Client.NewAssociation("client", port)
			client.MustConnect(lab.Server.AddressPort(diameterPort))

			Expect(server.ReadToEnd(quiet)).To(ContainElement("ASSOC_CHANGE RESTART"))
			Expect(lab.Server.Associations()).To(HaveLen(1))
			Expect(server.Write(1, diameter, "still here")).To(Succeed())
			Expect(client.ReadToEnd(time.Second)).To(Equal([]string{`"still here"`, "nothing"}))
			Expect(client.Write(1, diameter, "again")).To(Succeed())
			Expect(server.ReadToEnd(quiet)).To(Equal([]string{`"again"`, "nothing"}))
		})
	})
})

// Nothing can end such an association (sctp_diag has no SOCK_DESTROY), and a rebooted host
// must not have it.
var _ = Describe("A host that loses power while one of its programs has an SCTP association", Rows("S10"), Needs(require.SCTP), func() {
	EachFamily(func(family sock.Family) {
		It("cannot be switched on again while its kernel still shuts the association down", func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			server := lab.StartServer(diameterPort, fixtures.SCTPReadLoop{})
			lab.DialSCTP(diameterPort)
			server.Await(fixtures.Accepted)

			lab.Apply(scenarios.PowerOff{Host: lab.Server})

			Expect(lab.Server.Associations()).To(ConsistOf(HaveField("State", sock.SCTPShutdownSent)))
			Expect(lab.Server.PowerOn()).To(MatchError(ContainSubstring("1 SCTP associations of dead programs")))
		})
	})
})
