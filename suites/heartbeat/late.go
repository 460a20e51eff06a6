package heartbeat

import (
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

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

var _ = Describe("A heartbeat that is late, and a server that shuts down its sending side only", Rows("H2"), func() {
	EachFamily(func(family sock.Family) {
		connected := func(whenSilent string) (lab *harness.Lab, server, client *harness.Program) {
			lab = harness.New(GinkgoT(), harness.Firewalled, family)
			server = lab.StartServer(5000, "heartbeat", append(beats, "-when-silent", whenSilent)...)
			client = lab.StartClient(5000, "heartbeat", slices.Concat(patient, []string{"-reconnect"})...)
			server.Await("accepted")
			Expect(server).To(GoWithout("silent", timeout))
			return lab, server, client
		}
		// spoken is how many bytes the client has sent on its first connection: what
		// lies between its SYN and its FIN.
		spoken := func(lab *harness.Lab) int {
			GinkgoHelper()
			syns, fins := lab.Client.Sent(capture.SYN), lab.Client.Sent(capture.FIN)
			Expect(fins).NotTo(BeEmpty())
			Expect(fins[0].Src).To(Equal(syns[0].Src))
			return int(fins[0].Seq+uint32(fins[0].Length)-syns[0].Seq) - 1
		}
		tellsAndLosesNothing := func(lab *harness.Lab, server, client *harness.Program) {
			GinkgoHelper()
			silent, _ := server.Event("silent")
			// The FIN waits behind heartbeats that nobody has acknowledged: for as long as
			// the path holds an acknowledgement up, or until the next retransmission.
			Expect(client).To(Announce("closed", During(oracle.Window{Latest: 2*timeout + interval}, silent.At)), "the zero-read")
			Expect(client).To(Announce("reconnected", Within(10*time.Second)))
			Expect(server).To(Announce("closed", Within(10*time.Second)))
			closed, _ := server.Event("closed")
			Expect(closed.N).To(Equal(spoken(lab)), "bytes")
			Expect(closed.At).To(BeTemporally(">", silent.At))
			Expect(lab.Server.Received(capture.All(capture.Data, capture.After(silent.At)))).NotTo(BeEmpty(), "data was on its way")
			Expect(lab.Client.Received(capture.RST)).To(BeEmpty())
		}

		It("loses nothing of what an outage has held up, and the client reconnects", Waits(8*time.Second), func() {
			lab, server, client := connected("shutdown")

			outage := scenarios.SilentDrop{Direction: scenarios.TowardsServer}
			lab.Apply(outage)
			heard := lab.LastData(lab.Server)
			Expect(server).To(Announce("silent", During(oracle.Silence(timeout, interval), heard)))
			lab.Heal(outage)

			tellsAndLosesNothing(lab, server, client)
		})

		It("loses nothing of what a slow path delivers late, and the client reconnects", Needs(require.Netem), Waits(15*time.Second), func() {
			lab, server, client := connected("shutdown")

			lab.Apply(scenarios.ImpairedPath{Direction: scenarios.TowardsServer, By: link.Impairment{Delay: 2 * timeout}})
			heard := lab.LastData(lab.Server)
			Expect(server).To(Announce("silent", During(oracle.Silence(timeout, interval), heard)))

			tellsAndLosesNothing(lab, server, client)
		})

		It("loses what was on its way when the server aborts instead", Waits(8*time.Second), func() {
			lab, server, client := connected("abort")

			outage := scenarios.SilentDrop{Direction: scenarios.TowardsServer}
			lab.Apply(outage)
			heard := lab.LastData(lab.Server)
			Expect(server).To(Announce("silent", During(oracle.Silence(timeout, interval), heard)))
			silent, _ := server.Event("silent")

			Expect(client).To(Announce("failed", During(oracle.Window{Latest: time.Second}, silent.At)))
			failure, _ := client.Event("failed")
			Expect(failure.Text).To(Equal(unix.ErrnoName(unix.ECONNRESET)))
			lab.Heal(outage)
			Expect(client).To(Announce("reconnected", Within(10*time.Second)))
			first := lab.Client.Sent(capture.SYN)[0].Src
			held := lab.Client.Sent(capture.All(capture.From(first), capture.Data, capture.Fresh, capture.After(heard)))
			Expect(held).NotTo(BeEmpty())
			Expect(lab.Server.Received(capture.All(capture.From(first), capture.Data, capture.After(silent.At)))).To(BeEmpty(), "the client's kernel has thrown it away")
		})
	})
})
