package backlog

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/fixtures"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("A server whose file descriptors are used up by ghosts", Rows("B7"), func() {
	EachFamily(func(family sock.Family) {
		It("cannot accept (EMFILE) although its listener is readable, and can again when it has closed the ghosts", Waits(5*time.Second), func() {
			const timeout = 4 * time.Second
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			server := lab.StartServer(5000, fixtures.Reaper{Timeout: timeout, Descriptors: 3})
			// waiting returns the number of clients in the accept queue: a listener's Recv-Q.
			waiting := func() int {
				GinkgoHelper()
				for _, s := range lab.Server.Sockets() {
					if s.State == sock.Listening {
						return s.Queues.Received
					}
				}
				return -1
			}
			for range 3 {
				Expect(lab.Dial(5000).Write("alive")).To(Succeed())
			}
			Eventually(waiting).WithTimeout(time.Second).Should(BeZero(), "all clients are accepted")
			cut := scenarios.PowerOff{Host: lab.Client}
			lab.Apply(cut)
			Expect(lab.Client.States()).To(BeEmpty(), "the client knows nothing of its connections")
			heard := lab.Server.Received(capture.Data)[0].At // from the client that is noticed first
			lab.Heal(cut)

			late := lab.Dial(5000)
			Expect(late.Write("alive")).To(Succeed())
			Expect(server).To(AnnounceErrno(fixtures.Full, unix.EMFILE, Within(time.Second)))
			Expect(waiting()).To(Equal(1))
			Expect(late).To(BeInState(sock.Established), "the client believes that it is served")

			Expect(server).To(Announce(fixtures.Silent, During(oracle.Silence(timeout, 0), heard)))
			Eventually(waiting).WithTimeout(time.Second).Should(BeZero(), "the late client is accepted")
			Expect(late).To(StayAlive(100 * time.Millisecond))
		})
	})
})
