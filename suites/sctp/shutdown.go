package sctp

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/halfopen-lab/halfopen/fixtures"
	"github.com/halfopen-lab/halfopen/harness"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/require"
	"github.com/halfopen-lab/halfopen/harness/sock"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("A reader whose SCTP peer shuts down", Rows("S2"), Needs(require.SCTP), func() {
	EachFamily(func(family sock.Family) {
		It("reads the data before it, and then 0 again and again", func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			client, server := lab.Associate(diameterPort, nil)

			Expect(server.Write(0, diameter, "last words")).To(Succeed())
			server.Shutdown()

			Expect(client.ReadToEnd(time.Second)).To(Equal([]string{`"last words"`, "0"}))
			for range 100 {
				Expect(client.Read()).To(Equal(sock.Message{Data: []byte{}}))
			}
		})

		It("spins if its loop does not check for the zero-read", Waits(time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			server := lab.StartServer(diameterPort, fixtures.SCTPReadLoop{IgnoreZeroRead: true})
			client := lab.DialSCTP(diameterPort)
			server.Await(fixtures.Accepted)
			Expect(client.Write(0, diameter, "hello")).To(Succeed())

			client.Close()

			spun := server.Await(fixtures.Spun)
			Expect(float64(spun.N)/spun.For.Seconds()).To(BeNumerically(">", 1000), "reads in a second that returned 0")
		})

		It("ends its loop if it does", func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			server := lab.StartServer(diameterPort, fixtures.SCTPReadLoop{})
			client := lab.DialSCTP(diameterPort)
			server.Await(fixtures.Accepted)
			Expect(client.Write(0, diameter, "hello")).To(Succeed())

			client.Close()

			Expect(server).To(Announce(fixtures.Closed, Within(time.Second)))
		})
	})
})
