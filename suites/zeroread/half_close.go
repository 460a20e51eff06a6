package zeroread

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/sock"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("A client that has sent everything and shuts down its sending side", Rows("Z6"), func() {
	EachFamily(func(family sock.Family) {
		It("gets its reply over the direction that is still open", func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			client, server := lab.Connect(5000)

			client.CloseWrite()

			Expect(server).To(ReadZero(Within(time.Second)))
			Expect(server).To(BeInState(sock.CloseWait))
			Expect(server.Write("the reply")).To(Succeed())
			Expect(client.Read()).To(Equal("the reply"))
		})

		It("loses its reply if a proxy takes the half-close for the end", func() {
			lab := harness.New(GinkgoT(), harness.Proxied, family)
			client, server := lab.Connect(5000)

			client.CloseWrite()

			Expect(server).To(ReadZero(Within(time.Second)))
			Expect(client).To(ReadZero(Within(time.Second)), "the proxy closes both of its connections")
			Expect(server.Write("the reply")).To(Succeed(), "on a connection that the proxy has closed")
			Expect(server).To(EnterState(sock.Closed, Within(time.Second)))
			Expect(lab.Server.Received(capture.RST)).NotTo(BeEmpty(), "in answer to the reply")
			Expect(server.Write("the rest of it")).To(MatchError(unix.EPIPE))
		})
	})
})

var _ = Describe("A program that shuts down its own receiving side", Rows("Z7"), func() {
	EachFamily(func(family sock.Family) {
		It("reads 0 at once, and still reads data that arrives later", func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			client, server := lab.Connect(5000)

			client.CloseRead()

			Expect(client).To(ReadZero(Within(time.Second)))
			Expect(server.Write("too late?")).To(Succeed())
			Eventually(client.Read).WithTimeout(time.Second).Should(Equal("too late?"))
			Expect(client).To(ReadZero(Within(time.Second)))
			Expect(client).To(BeInState(sock.Established), "nothing was sent, so the peer does not know")
		})
	})
})
