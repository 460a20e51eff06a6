package sctp

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/halfopen-lab/halfopen/harness"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/require"
	"github.com/halfopen-lab/halfopen/harness/sock"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

// quiet is how long ReadToEnd waits for another message.
const quiet = 100 * time.Millisecond

// subscribing makes the client subscribe to notifications.
func subscribing(client, _ *harness.Association) { client.Subscribe() }

var _ = Describe("SCTP notifications", Rows("S4"), Needs(require.SCTP), func() {
	EachFamily(func(family sock.Family) {
		It("arrive among the data with a flag, if the program has subscribed to them", func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			client, server := lab.Associate(diameterPort, subscribing)

			Expect(client.Read()).To(BeNotification(sock.AssociationChange{Now: sock.CommunicationUp, Outbound: 10, Inbound: 10}))

			Expect(server.Write(0, diameter, "data")).To(Succeed())
			m, err := client.Read()
			Expect(err).NotTo(HaveOccurred())
			Expect(m.Notification).To(BeFalse())
			Expect(string(m.Data)).To(Equal("data"))

			Expect(client.Write(0, diameter, "to the server")).To(Succeed())
			Expect(server.ReadToEnd(quiet)).To(Equal([]string{`"to the server"`, "nothing"}), "the server has not subscribed")
		})

		It("are taken for data by a reader that ignores the flag", func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			client, server := lab.Associate(diameterPort, subscribing)
			_, err := client.Read() // COMM_UP
			Expect(err).NotTo(HaveOccurred())

			server.Close()

			Expect(client).To(BeReadable(Within(time.Second)))
			n, err := client.Receive(make([]byte, 4096))
			Expect(err).NotTo(HaveOccurred())
			Expect(n).To(Equal(12), "the length of a SHUTDOWN_EVENT, not the zero-read")
		})

		It("that are larger than the buffer arrive in parts, of which only the last has MSG_EOR", func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			client, _ := lab.Associate(diameterPort, subscribing)

			first, err := client.Socket.ReceiveMessage(make([]byte, 8))
			Expect(err).NotTo(HaveOccurred())
			Expect(first.Data).To(HaveLen(8))
			Expect(first.Notification).To(BeTrue())
			Expect(first.Whole).To(BeFalse())

			rest, err := client.Socket.ReceiveMessage(make([]byte, 4096))
			Expect(err).NotTo(HaveOccurred())
			Expect(rest.Data).To(HaveLen(12))
			Expect(rest.Notification).To(BeTrue())
			Expect(rest.Whole).To(BeTrue())
		})
	})
})
