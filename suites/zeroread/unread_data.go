package zeroread

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/sock"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("Unread data that arrived before the FIN", Rows("Z4"), func() {
	EachFamily(func(family sock.Family) {
		It("hides the zero-read until it is read; POLLRDHUP shows the hang-up at once", func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			client, server := lab.Connect(5000)

			Expect(client.Write("last words")).To(Succeed())
			client.Close()

			Eventually(func() (int16, error) { return server.Poll(unix.POLLRDHUP) }).
				WithTimeout(time.Second).WithPolling(time.Millisecond).Should(Equal(int16(unix.POLLRDHUP)))
			Expect(server.Read()).To(Equal("last words"), "the read gives the data first")
			Expect(server).To(ReadZero(Within(time.Second)))
		})
	})
})
