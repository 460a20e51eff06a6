package backlog

import (
	"net/netip"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

// The kernel checks the accept queue once more when the last ACK of a handshake arrives
// (net/ipv4/tcp_minisocks.c, tcp_check_req).
var _ = Describe("An accept queue that fills up in the middle of a client's handshake", Rows("B1"), func() {
	EachFamily(func(family sock.Family) {
		// halfway leaves a client in the middle of its handshake: its SYN has arrived, the
		// SYN-ACK is held up, and a client nearer to the server takes the only place.
		halfway := func() (lab *harness.Lab, client *harness.Conn, delay scenarios.SilentDrop) {
			lab = harness.New(GinkgoT(), harness.Routed, family)
			lab.Server.Listen(5000, 0)
			delay = scenarios.SilentDrop{Direction: scenarios.TowardsClient}
			lab.Apply(delay)
			client = lab.Client.NewSocket("client")
			Expect(client.Connect(lab.Entrance(5000))).To(MatchError(unix.EINPROGRESS))
			Expect(lab.Server).To(HaveSent(1, capture.SYNACK, Within(time.Second)))
			lab.Host("router-east").NewSocket("nearer client").MustConnect(netip.AddrPortFrom(lab.Server.Address(), 5000))
			return lab, client, delay
		}

		It("leaves that client believing that it is connected, while the server goes on sending SYN-ACK", Waits(4*time.Second), func() {
			lab, client, delay := halfway()

			lab.Heal(delay)

			Expect(client).To(EnterState(sock.Established, Within(2*time.Second)))
			Expect(lab.Client).To(HaveReceived(2, capture.SYNACK, Within(8*time.Second)))
			Expect(client).To(BeInState(sock.Established))
		})

		// The kernel drops the SYN of a further client whatever the sysctl says
		// (net/ipv4/tcp_input.c, tcp_conn_request).
		It("resets that client with tcp_abort_on_overflow, and leaves further clients in SYN-SENT as without it", Waits(4*time.Second), func() {
			lab, client, delay := halfway()
			lab.Server.Sysctl("ipv4/tcp_abort_on_overflow", 1)

			lab.Heal(delay)

			Expect(client).To(FailWith(unix.ECONNRESET, Within(2*time.Second)))
			further := lab.Client.NewSocket("further client")
			Expect(further.Connect(lab.Entrance(5000))).To(MatchError(unix.EINPROGRESS))
			Expect(further).To(StayIn(sock.SynSent, 1500*time.Millisecond))
		})
	})
})
