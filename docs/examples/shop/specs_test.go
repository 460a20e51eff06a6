package shop_test

import (
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
)

func TestSpecs(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "The shop's firewall")
}

var _ = Describe("A connection that the firewall has forgotten", func() {
	It("is half-open: the next sender is reset, and the other end is not told", func() {
		lab := harness.New(GinkgoT(), harness.Firewalled, sock.IPv4)
		lab.Apply(scenarios.IdleTimeout{After: idleTimeout(), Then: firewall.ResetSender})
		client, server := lab.Connect(5000)

		time.Sleep(idleTimeout() + time.Second)
		Expect(client.Write("late")).To(Succeed())

		Expect(client).To(FailWith(unix.ECONNRESET, Within(time.Second)))
		Expect(server).To(BeInState(sock.Established))
	})
})
