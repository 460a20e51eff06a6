package firewall

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("A firewall that is told to forget a flow", Rows("F10"), func() {
	EachFamily(func(family sock.Family) {
		It("resets the next sender, as after an idle timeout but without the wait", func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			lab.Apply(scenarios.IdleTimeout{After: time.Hour, Then: firewall.ResetSender})
			client, server := lab.Connect(5000)
			Say(client, server, "hello")

			lab.Apply(scenarios.ForgetFlow{Client: client})

			Expect(client.Write("still there?")).To(Succeed())
			Expect(client).To(FailWith(unix.ECONNRESET, Within(time.Second)))
			Expect(server).To(BeInState(sock.Established))
		})

		It("resets both ends at once if that is its policy", func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			lab.Apply(scenarios.IdleTimeout{After: time.Hour, Then: firewall.ResetBoth})
			client, server := lab.Connect(5000)
			Say(client, server, "hello")

			lab.Apply(scenarios.ForgetFlow{Client: client})

			AtOnce(
				func() { Expect(client).To(FailWith(unix.ECONNRESET, Within(time.Second))) },
				func() { Expect(server).To(FailWith(unix.ECONNRESET, Within(time.Second))) },
			)
		})
	})
})
