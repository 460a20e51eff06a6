package zeroread

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/halfopen-lab/halfopen/fixtures"
	"github.com/halfopen-lab/halfopen/harness"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/sock"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("A server that reads in a loop, and a client that closes", Rows("Z1"), func() {
	EachFamily(func(family sock.Family) {
		It("spins if the loop does not check for the zero-read: every read returns 0 at once", Waits(time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			server := lab.StartServer(5000, fixtures.ReadLoop{IgnoreZeroRead: true})
			client := lab.Dial(5000)
			server.Await(fixtures.Accepted)
			Expect(client.Write("hello")).To(Succeed())

			client.Close()

			spun := server.Await(fixtures.Spun)
			Expect(float64(spun.N)/spun.For.Seconds()).To(BeNumerically(">", 1000), "reads in a second that returned 0")
		})

		It("ends the loop if it does", func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			server := lab.StartServer(5000, fixtures.ReadLoop{})
			client := lab.Dial(5000)
			server.Await(fixtures.Accepted)
			Expect(client.Write("hello")).To(Succeed())

			client.Close()

			Expect(server).To(Announce(fixtures.Closed, Within(time.Second)))
		})
	})
})
