package backlog

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("A peer that never reads", Rows("B2"), func() {
	EachFamily(func(family sock.Family) {
		It("leaves the sender with EAGAIN, and what was sent in the two queues that netstat prints", func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			client, server := lab.Connect(5000)

			stall := &scenarios.ReceiverStalls{Sender: client, Receiver: server}
			lab.Apply(stall)

			Expect(client.Write("more")).To(MatchError(unix.EAGAIN))
			Expect(client).To(BeInState(sock.Established))
			sendQueue, receiveQueue := client.Entry().Queues.Sent, server.Entry().Queues.Received
			Expect(sendQueue).To(BeNumerically(">", 0), "the client's Send-Q")
			Expect(receiveQueue).To(BeNumerically(">", 0), "the server's Recv-Q")
			Expect(sendQueue + receiveQueue).To(Equal(stall.Accepted))
		})
	})
})

// givesUp expects the end of a client's connection whose server vanished while its window was
// zero.
func givesUp(lab *harness.Lab, client *harness.Conn, retries int) types.GomegaMatcher {
	GinkgoHelper()
	answers := lab.Client.Received(capture.ZeroWindow)
	Expect(answers).NotTo(BeEmpty(), "the window is zero")
	quiet := WhenLast(answers)
	data := lab.Client.Sent(capture.Data)
	probesAfter := func(t time.Time) int { return len(lab.Client.Sent(capture.All(capture.WindowProbe, capture.After(t)))) }
	answered := probesAfter(WhenLast(data)) - probesAfter(quiet)
	return FailWith(unix.ETIMEDOUT, During(oracle.ZeroWindowGiveUp(retries, answered, client.RTO()), quiet))
}

var _ = Describe("A peer whose window is zero", Rows("B3"), func() {
	EachFamily(func(family sock.Family) {
		It("is probed for ever while its kernel answers; neither keepalive nor tcp_retries2 ends the connection", Waits(11*time.Second), func() {
			const retries = 2
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			lab.Client.Sysctl("ipv4/tcp_retries2", retries)
			client, server := lab.Connect(5000)
			client.Keepalive(oracle.Keepalive{Idle: time.Second, Interval: time.Second, Count: 2})
			Expect(client.Entry().Timer).To(Equal(sock.KeepaliveTimer))

			lab.Apply(&scenarios.ReceiverStalls{Sender: client, Receiver: server})

			Expect(client).To(StayAlive(8 * time.Second))
			Expect(client.Entry().Timer).To(Equal(sock.PersistTimer))
			probes := lab.Client.Sent(capture.WindowProbe)
			Expect(len(probes)).To(BeNumerically(">", retries+1), "probes 0.2, 0.4 and then 0.8 s apart")
			Expect(lab.Server.Received(capture.WindowProbe)).To(HaveLen(len(probes)))

			lab.Apply(scenarios.PowerOff{Host: lab.Server})
			Expect(client).To(givesUp(lab, client, retries), "tcp_retries2 counts only if the peer does not answer")
		})

		It("is probed for six hours, at least every two minutes, with the kernel's defaults", Waits(6*time.Hour), func() {
			longest := oracle.Around(2 * time.Minute).Latest // TCP_RTO_MAX
			lab := harness.New(GinkgoT(), harness.Direct, family)
			client, server := lab.Connect(5000)
			stall := &scenarios.ReceiverStalls{Sender: client, Receiver: server}
			lab.Apply(stall)

			Expect(client).To(StayAlive(6 * time.Hour))
			last := lab.Client.Received(capture.ZeroWindow)[0].At
			for _, probe := range lab.Client.Sent(capture.WindowProbe) {
				Expect(probe.At.Sub(last)).To(BeNumerically("<=", longest))
				last = probe.At
			}
			Expect(time.Since(last)).To(BeNumerically("<=", longest))

			lab.Heal(stall)
			Say(client, server, "and more")
		})

		It("is given up after TCP_USER_TIMEOUT although it answers every probe", Waits(4*time.Second), func() {
			const userTimeout = 3 * time.Second
			lab := harness.New(GinkgoT(), harness.Direct, family)
			client, server := lab.Connect(5000)
			client.UserTimeout(userTimeout)

			lab.Apply(&scenarios.ReceiverStalls{Sender: client, Receiver: server})
			closed := lab.Client.Received(capture.ZeroWindow)[0].At

			Expect(client).To(FailWith(unix.ETIMEDOUT, During(oracle.ZeroWindowUserTimeout(userTimeout, client.RTO()), closed)))
		})
	})
})

var _ = Describe("A peer that vanishes while its window is zero", Rows("B4"), func() {
	EachFamily(func(family sock.Family) {
		DescribeTable("is given up after as many unanswered probes as tcp_retries2 allows; keepalive stays silent",
			func(retries int) {
				lab := harness.New(GinkgoT(), harness.Firewalled, family)
				lab.Client.Sysctl("ipv4/tcp_retries2", retries)
				client, server := lab.Connect(5000)
				client.Keepalive(oracle.Keepalive{Idle: time.Second, Interval: time.Second, Count: 2})
				Expect(client.Entry().Timer).To(Equal(sock.KeepaliveTimer))

				lab.Apply(&scenarios.ReceiverStalls{Sender: client, Receiver: server})
				lab.Apply(scenarios.PowerOff{Host: lab.Server})

				Expect(client).To(givesUp(lab, client, retries))
				closed := lab.Client.Received(capture.ZeroWindow)[0].At
				Expect(lab.Client.Sent(capture.All(capture.KeepaliveProbe, capture.After(closed)))).To(BeEmpty())
			},
			Entry("tcp_retries2 = 4", Waits(10*time.Second), 4),
			Entry("tcp_retries2 = 15, the kernel's default", Waits(20*time.Minute), oracle.Retries2),
		)
	})
})

var _ = Describe("A reader that wakes up", Rows("B5"), func() {
	EachFamily(func(family sock.Family) {
		It("gets every byte once and in order, and the sender can go on", Waits(time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			client, server := lab.Connect(5000)
			stall := &scenarios.ReceiverStalls{Sender: client, Receiver: server}
			lab.Apply(stall)
			Expect(client.Write("no room")).To(MatchError(unix.EAGAIN))

			lab.Heal(stall)

			Expect(client.Write("and more")).To(Succeed())
			Expect(server.Read()).To(Equal("and more"), "nothing is between what was sent and what follows")
			Eventually(func() int { return client.Entry().Queues.Sent }).WithTimeout(time.Second).Should(BeZero())
		})
	})
})
