package keepalive

import (
	"fmt"
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

var _ = Describe("Keepalive while sent data is unacknowledged", Rows("K4"), func() {
	EachFamily(func(family sock.Family) {
		DescribeTable("stays silent: retransmission ends the connection, after tcp_retries2",
			func(retries int) {
				k := oracle.Keepalive{Idle: time.Second, Interval: time.Second, Count: 2}
				lab := harness.New(GinkgoT(), harness.Firewalled, family)
				lab.Client.Sysctl("ipv4/tcp_retries2", retries)
				client, _ := lab.Connect(5000)
				client.Keepalive(k)
				Expect(client.Entry().Timer).To(Equal(sock.KeepaliveTimer))

				lab.Apply(scenarios.PowerOff{Host: lab.Server})
				rto := client.RTO()
				written := time.Now()
				Expect(client.Write("anyone?")).To(Succeed())

				Expect(oracle.GiveUp(retries, rto).Earliest).To(BeNumerically(">", k.Death().Latest), "keepalive alone would be faster")
				Expect(client).To(FailWith(unix.ETIMEDOUT, During(oracle.GiveUp(retries, rto), client.LastSent())))
				Expect(lab.Client.Sent(capture.All(capture.KeepaliveProbe, capture.After(written)))).To(BeEmpty())
				Expect(lab.Client.Sent(capture.RST)).To(BeEmpty(), "retransmission gives up without an RST")
			},
			retriesEntry(5, 14*time.Second),
			retriesEntry(8, 103*time.Second),
			retriesEntry(oracle.Retries2, 925*time.Second),
		)
	})
})

func retriesEntry(retries int, waits time.Duration) TableEntry {
	return Entry(fmt.Sprintf("tcp_retries2 = %d", retries), Waits(waits), retries)
}
