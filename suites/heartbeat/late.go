package heartbeat

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/fixtures"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/link"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/require"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("A late heartbeat, and a server that then shuts down only its sending side", Rows("H2"), func() {
	EachFamily(func(family sock.Family) {
		halfCloses := fixtures.Heartbeat{Interval: interval, Timeout: timeout, HalfClose: true}
		connected := func(to fixtures.Heartbeat) (lab *harness.Lab, server, client *harness.Program) {
			lab = harness.New(GinkgoT(), harness.Firewalled, family)
			server = lab.StartServer(5000, to)
			client = lab.StartClient(5000, fixtures.Heartbeat{Interval: interval, Timeout: never, Reconnect: true})
			server.Await(fixtures.Accepted)
			Expect(server).To(GoWithout(fixtures.Silent, timeout))
			return lab, server, client
		}
		// spoken returns the number of bytes that the client has sent on its first
		// connection: those between its SYN and its FIN.
		spoken := func(lab *harness.Lab) int {
			GinkgoHelper()
			syns, fins := lab.Client.Sent(capture.SYN), lab.Client.Sent(capture.FIN)
			Expect(fins).NotTo(BeEmpty())
			Expect(fins[0].Src).To(Equal(syns[0].Src))
			return int(fins[0].Seq+uint32(fins[0].Length)-syns[0].Seq) - 1
		}
		// outage drops what the client sends until the server reports the silence, and returns
		// that instant.
		lost := scenarios.SilentDrop{Direction: scenarios.TowardsServer}
		outage := func(lab *harness.Lab, server *harness.Program) (silent time.Time) {
			GinkgoHelper()
			lab.Apply(lost)
			Expect(server).To(Announce(fixtures.Silent, unheard(lab, lab.Server)))
			return server.Await(fixtures.Silent).At
		}
		// tellsAndLosesNothing checks what follows: the client is told and reconnects, and no
		// byte is lost. The server's FIN waits behind unacknowledged heartbeats, for held at
		// the longest.
		tellsAndLosesNothing := func(lab *harness.Lab, server, client *harness.Program, held time.Duration) {
			GinkgoHelper()
			silent := server.Await(fixtures.Silent).At
			Expect(client).To(Announce(fixtures.Closed, Within(held+time.Second)), "the zero-read")
			Expect(client).To(Announce(fixtures.Reconnected, Within(10*time.Second)))
			Expect(server).To(Announce(fixtures.Closed, Within(10*time.Second)))
			closed := server.Await(fixtures.Closed)
			Expect(closed.N).To(Equal(spoken(lab)), "bytes")
			Expect(closed.At).To(BeTemporally(">", silent))
			Expect(lab.Server.Received(capture.All(capture.Data, capture.After(silent)))).NotTo(BeEmpty(), "data was on its way")
			Expect(lab.Client.Received(capture.RST)).To(BeEmpty())
		}

		It("loses none of the data that an outage has held up, and the client reconnects", Waits(8*time.Second), func() {
			lab, server, client := connected(halfCloses)
			syn := lab.Server.Received(capture.SYN)[0]

			outage(lab, server)
			lab.Heal(lost)
			entry, ok := lab.Server.Socket(syn.Dst, syn.Src)
			Expect(ok).To(BeTrue())

			tellsAndLosesNothing(lab, server, client, oracle.Around(entry.Expires).Latest) // until the next retransmission
		})

		It("loses none of the data that a slow path delivers late, and the client reconnects", Needs(require.Netem), Waits(15*time.Second), func() {
			const delay = 2 * timeout
			lab, server, client := connected(halfCloses)

			lab.Apply(scenarios.ImpairedPath{Direction: scenarios.TowardsServer, By: link.Impairment{Delay: delay}})
			Expect(server).To(Announce(fixtures.Silent, unheard(lab, lab.Server)))

			tellsAndLosesNothing(lab, server, client, delay) // until acknowledgements have come
		})

		It("loses the data on its way if the server aborts instead", Waits(8*time.Second), func() {
			lab, server, client := connected(beats)

			silent := outage(lab, server)

			Expect(client).To(AnnounceErrno(fixtures.Failed, unix.ECONNRESET, During(oracle.Window{Latest: time.Second}, silent)))
			lab.Heal(lost)
			Expect(client).To(Announce(fixtures.Reconnected, Within(10*time.Second)))
			first := lab.Client.Sent(capture.SYN)[0].Src
			heard := WhenLast(lab.Server.Received(capture.All(capture.From(first), capture.Data)))
			Expect(heard).To(BeTemporally("<", silent), "the client's kernel has thrown away all later data")
			Expect(lab.Client.Sent(capture.All(capture.From(first), capture.Data, capture.Original, capture.After(heard)))).NotTo(BeEmpty(), "the client's kernel had data to send")
		})
	})
})
