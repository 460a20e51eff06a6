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

var _ = Describe("Writing to a peer that has closed", Rows("Z9"), func() {
	EachFamily(func(family sock.Family) {
		It("succeeds once, is answered with RST, and then gives EPIPE", func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			client, server := lab.Connect(5000)

			closed := server.TableEntry()
			server.Close()
			Expect(client).To(ReadZero(Within(time.Second)))
			Expect(closed).To(EnterState(sock.FinWait2, Within(time.Second)), "otherwise it answers a late ACK with another RST")

			Expect(client.Write("first")).To(Succeed())
			Expect(lab.Client).To(HaveReceived(1, capture.RST, Within(time.Second)))
			Expect(client.Write("second")).To(MatchError(unix.EPIPE))
			Expect(client).To(ReadZero(Within(time.Second)), "the write has consumed the error")
		})
	})
})
