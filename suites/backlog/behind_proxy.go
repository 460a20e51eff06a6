package backlog

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("A proxy in front of a server that never reads", Rows("B6"), func() {
	EachFamily(func(family sock.Family) {
		It("hides the backlog: it accepts data that is in neither peer's queue", func() {
			lab := harness.New(GinkgoT(), harness.Proxied, family)
			client, server := lab.Connect(5000)

			stall := &scenarios.ReceiverStalls{Sender: client, Receiver: server}
			lab.Apply(stall)

			visible := client.Entry().Queues.Sent + server.Entry().Queues.Received
			hidden := 0
			for _, entry := range lab.ProxyHost().Sockets() {
				if entry.State == sock.Established {
					hidden += entry.Queues.Sent + entry.Queues.Received
				}
			}
			Expect(stall.Accepted-visible).To(BeNumerically(">", 0), "bytes that netstat shows on neither peer")
			Expect(stall.Accepted-visible).To(BeNumerically(">=", hidden), "they are in the proxy's sockets and in its memory")
			Expect(hidden).To(BeNumerically(">", 0))
		})

		It("acknowledges what the server will never read: when the server closes, the client gets ECONNRESET, and more bytes were acknowledged than have arrived", func() {
			lab := harness.New(GinkgoT(), harness.Proxied, family)
			client, server := lab.Connect(5000)
			stall := &scenarios.ReceiverStalls{Sender: client, Receiver: server}
			lab.Apply(stall)
			arrived := server.Entry().Queues.Received
			acknowledged := stall.Accepted - client.Entry().Queues.Sent

			server.Close()

			Expect(client).To(FailWith(unix.ECONNRESET, Within(time.Second)))
			Expect(acknowledged).To(BeNumerically(">", arrived), "bytes")
		})
	})
})
