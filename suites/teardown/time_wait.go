package teardown

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/sock"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

// acknowledged is why a spec waits for the ACK of a FIN before the next step. What the
// program sends from another processor can overtake that ACK. The kernel answers an ACK that
// arrives in TIME_WAIT, and the RST to that answer ends TIME_WAIT early (RFC 1337).
const acknowledged = "the FIN is acknowledged"

var _ = Describe("The side that closes first", Rows("T2"), func() {
	EachFamily(func(family sock.Family) {
		It("is in TIME_WAIT for 60 s, and its address is in use unless SO_REUSEADDR is set", func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			client, server := lab.Connect(5000)
			address, entry := server.Local(), server.TableEntry()

			server.Close()
			Expect(client).To(ReadZero(Within(time.Second)))
			Expect(entry).To(EnterState(sock.FinWait2, Within(time.Second)), acknowledged)
			client.Close()

			Expect(entry).To(EnterState(sock.TimeWait, Within(time.Second)))
			waiting, _ := entry.Entry()
			Expect(waiting.Timer).To(Equal(sock.TimeWaitTimer))
			Expect(waiting.Expires).To(BeNumerically("~", oracle.TimeWait, oracle.Tolerance(oracle.TimeWait)))
			Expect(waiting.Inode).To(BeZero(), "no program holds it")

			restarted := lab.Server.NewSocket("restarted server")
			Expect(restarted.Socket.Bind(address)).To(MatchError(unix.EADDRINUSE))
			Expect(restarted.Socket.SetOption(unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)).To(Succeed())
			Expect(restarted.Socket.Bind(address)).To(Succeed())
		})

		It("forgets the connection after 60 s", Waits(oracle.TimeWait), func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			client, server := lab.Connect(5000)
			address, entry := server.Local(), server.TableEntry()

			server.Close()
			Expect(client).To(ReadZero(Within(time.Second)))
			Expect(entry).To(EnterState(sock.FinWait2, Within(time.Second)), acknowledged)
			client.Close()

			Expect(entry).To(EnterState(sock.Closed, During(oracle.Around(oracle.TimeWait), fin(lab.Client))))
			Expect(lab.Server.NewSocket("restarted server").Socket.Bind(address)).To(Succeed())
		})
	})
})
