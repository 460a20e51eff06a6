package keepalive

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

// Of the states after ESTABLISHED, only FIN_WAIT2 without a program has another timer,
// tcp_fin_timeout (net/ipv4/tcp_timer.c, tcp_keepalive_timer).
var _ = Describe("A half-closed connection whose peer has vanished", Rows("K12"), func() {
	EachFamily(func(family sock.Family) {
		DescribeTable("stays in CLOSE_WAIT until keepalive is switched on and ends it; reading gives 0 all the same",
			func(k oracle.Keepalive, without time.Duration) {
				lab := harness.New(GinkgoT(), harness.Firewalled, family)
				client, server := lab.Connect(5000)
				ghost := client.TableEntry()
				server.CloseWrite()
				Expect(client).To(EnterState(sock.CloseWait, Within(time.Second)))

				lab.Apply(scenarios.PowerOff{Host: lab.Server})
				time.Sleep(without)
				Expect(ghost).To(BeInState(sock.CloseWait), "nobody checks whether the peer is there")
				client.Keepalive(k)
				quiet := client.QuietSince()

				Expect(ghost).To(EnterState(sock.Closed, During(k.Death(), quiet)))
				// After a FIN, reads return 0 before they look for an error (net/ipv4/tcp.c,
				// tcp_recvmsg_locked: SOCK_DONE).
				Expect(client).To(ReadZero(Within(time.Second)))
				Expect(client.Socket.SocketError()).To(MatchError(unix.ETIMEDOUT), "poll(2) reports it as POLLERR")
			},
			halfClosedFor(5*time.Second, oracle.Keepalive{Idle: time.Second, Interval: time.Second, Count: 3}),
			halfClosedFor(24*time.Hour, oracle.Default()),
		)

		DescribeTable("stays in FIN_WAIT2 until keepalive is switched on and ends it: ETIMEDOUT",
			func(k oracle.Keepalive, without time.Duration) {
				lab := harness.New(GinkgoT(), harness.Firewalled, family)
				lab.Client.Sysctl("ipv4/tcp_fin_timeout", 1)
				client, _ := lab.Connect(5000)
				ghost := client.TableEntry()
				client.CloseWrite()
				Expect(client).To(EnterState(sock.FinWait2, Within(time.Second)))
				orphan, _ := lab.Connect(5001)
				itsEntry, itsAddress := orphan.TableEntry(), orphan.Local()
				orphan.Close()
				fin := lab.Client.Sent(capture.All(capture.FIN, capture.From(itsAddress)))[0].At
				Expect(itsEntry).To(EnterState(sock.Closed, During(oracle.Around(time.Second), fin)), "tcp_fin_timeout ends only sockets that no program holds")

				lab.Apply(scenarios.PowerOff{Host: lab.Server})
				time.Sleep(without)
				Expect(ghost).To(BeInState(sock.FinWait2), "nobody checks whether the peer is there")
				client.Keepalive(k)
				quiet := client.QuietSince()

				Expect(client).To(FailWith(unix.ETIMEDOUT, During(k.Death(), quiet)))
				Expect(ghost).To(BeInState(sock.Closed))
			},
			halfClosedFor(5*time.Second, oracle.Keepalive{Idle: time.Second, Interval: time.Second, Count: 3}),
			halfClosedFor(24*time.Hour, oracle.Default()),
		)
	})
})

// halfClosedFor returns an entry: the connection is half-closed for a time without keepalive,
// and then keepalive is switched on.
func halfClosedFor(without time.Duration, k oracle.Keepalive) TableEntry {
	return Entry(without.String()+", then "+k.String(), Waits(without+k.Death().Latest+time.Second), k, without)
}
