package zeroread

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/fixtures"
	"github.com/halfopen-lab/halfopen/harness"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/sock"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("A read that finds nothing", Rows("Z10"), func() {
	EachFamily(func(family sock.Family) {
		It("gives EAGAIN, which is not the end: data that arrives later can be read", func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			client, server := lab.Connect(5000)

			_, err := client.Receive(make([]byte, 16))
			Expect(err).To(Equal(unix.EAGAIN))

			Expect(server.Write("only late")).To(Succeed())
			Expect(client.Read()).To(Equal("only late"))
			Expect(client).To(StayAlive(100 * time.Millisecond))
		})

		It("makes a program that takes EAGAIN for the end drop a living connection", func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			server := lab.StartServer(5000, fixtures.ReadLoop{EAGAINIsTheEnd: true})

			client := lab.Dial(5000)

			Expect(client).To(ReadZero(Within(time.Second)), "the server has closed although nobody has sent anything")
			Expect(server.Await(fixtures.Misread).Text).To(Equal("EAGAIN"))
		})

		It("does not disturb a program that waits for more", func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			server := lab.StartServer(5000, fixtures.ReadLoop{})

			client := lab.Dial(5000)
			server.Await(fixtures.Accepted)

			Expect(client).To(StayAlive(500 * time.Millisecond))
		})
	})
})
