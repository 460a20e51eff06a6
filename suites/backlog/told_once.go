package backlog

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

// The kernel keeps one error for a socket and clears it with the call that returns it
// (include/net/sock.h, sock_error; net/core/stream.c, sk_stream_error). After that a read
// finds only that the connection is over: the zero-read (net/ipv4/tcp.c, tcp_recvmsg_locked).
var _ = Describe("A zero window that TCP_USER_TIMEOUT ends", Rows("B9"), func() {
	EachFamily(func(family sock.Family) {
		// endedUnread ends a connection, and leaves what the kernel has to say unread.
		endedUnread := func() *harness.Conn {
			const userTimeout = 2 * time.Second
			lab := harness.New(GinkgoT(), harness.Direct, family)
			client, server := lab.Connect(5000)
			client.UserTimeout(userTimeout)

			lab.Apply(&scenarios.ReceiverStalls{Sender: client, Receiver: server})
			closed := lab.Client.Received(capture.ZeroWindow)[0].At

			Expect(client).To(EnterState(sock.Closed, During(oracle.ZeroWindowUserTimeout(userTimeout, client.RTO()), closed)))
			return client
		}
		readsZero := func(client *harness.Conn) {
			GinkgoHelper()
			for range 3 {
				Expect(client).To(ReadZero(Within(time.Second)))
			}
		}

		It("is told to a program that reads first: ETIMEDOUT, and then 0", Waits(3*time.Second), func() {
			client := endedUnread()

			Expect(client).To(FailWith(unix.ETIMEDOUT, Within(time.Second)))
			readsZero(client)
			Expect(client.Write("more")).To(MatchError(unix.EPIPE))
		})

		It("is told to a program that writes first by the write: its reads give 0, as if the peer had closed", Waits(3*time.Second), func() {
			client := endedUnread()

			Expect(client.Write("more")).To(MatchError(unix.ETIMEDOUT))
			readsZero(client)
			Expect(client.Write("more")).To(MatchError(unix.EPIPE))
		})
	})
})
