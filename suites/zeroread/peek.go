package zeroread

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/sock"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("Peeking at a connection with MSG_PEEK and MSG_DONTWAIT", Rows("Z3"), func() {
	EachFamily(func(family sock.Family) {
		It("tells whether it is alive, has data or was hung up, and consumes nothing", func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			client, server := lab.Connect(5000)
			buffer := make([]byte, 16)

			_, err := server.Socket.Peek(buffer)
			Expect(err).To(Equal(unix.EAGAIN), "it is alive, and there is nothing to read")

			Expect(client.Write("hello")).To(Succeed())
			Expect(server).To(BeReadable(Within(time.Second)))
			n, err := server.Socket.Peek(buffer)
			Expect(err).NotTo(HaveOccurred())
			Expect(string(buffer[:n])).To(Equal("hello"), "data is waiting")
			Expect(server.Read()).To(Equal("hello"), "the data is still there after the peek")

			client.Close()
			Expect(server).To(BeReadable(Within(time.Second)))
			n, err = server.Socket.Peek(buffer)
			Expect(err).NotTo(HaveOccurred())
			Expect(n).To(BeZero(), "the peer has hung up")
		})

		DescribeTable("does so on a blocking socket without waiting (MSG_DONTWAIT)",
			func(flags int, consumes bool) {
				lab := harness.New(GinkgoT(), harness.Direct, family)
				client, server := lab.Connect(5000)
				buffer := make([]byte, 16)
				look := func() (n int, err error) {
					controlErr := server.Socket.Control(func(fd int) error {
						if err := unix.SetNonblock(fd, false); err != nil {
							return err
						}
						defer func() { _ = unix.SetNonblock(fd, true) }()
						n, _, err = unix.Recvfrom(fd, buffer, unix.MSG_DONTWAIT|flags)
						return nil
					})
					Expect(controlErr).NotTo(HaveOccurred())
					return n, err
				}

				_, err := look()
				Expect(err).To(Equal(unix.EAGAIN), "it is alive, and there is nothing to read")

				Expect(client.Write("hello")).To(Succeed())
				Expect(server).To(BeReadable(Within(time.Second)))
				n, err := look()
				Expect(err).NotTo(HaveOccurred())
				Expect(string(buffer[:n])).To(Equal("hello"), "data is waiting")
				if !consumes {
					Expect(server.Read()).To(Equal("hello"), "the data is still there")
				}

				client.Close()
				Expect(server).To(BeReadable(Within(time.Second)))
				n, err = look()
				Expect(err).NotTo(HaveOccurred())
				Expect(n).To(BeZero(), "the peer has hung up")
			},
			Entry("and reads the data", 0, true),
			Entry("and leaves the data, with MSG_PEEK", unix.MSG_PEEK, false),
		)
	})
})
