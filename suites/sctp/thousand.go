package sctp

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/require"
	"github.com/halfopen-lab/halfopen/harness/sock"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("SCTP associations", Rows("S1"), Needs(require.SCTP), Label(sock.IPv4.String()), func() {
	It("leave nothing behind after a thousand of them: no descriptor, no goroutine, no thread, no association in the kernel", Costs(14), func() {
		lab := harness.New(GinkgoT(), harness.Direct, sock.IPv4)
		listener := lab.Server.NewAssociation("listener", diameterPort)
		Expect(listener.Socket.Listen(1)).To(Succeed())
		// One context for all waits: the goroutines of a thousand contexts would still be ending
		// when they are counted below.
		ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
		defer cancel()
		associate := func(times int) {
			for range times {
				var client *sock.SCTP
				Expect(lab.Client.Do(func() (err error) { client, err = sock.OpenSCTP(sock.IPv4); return err })).To(Succeed())
				_ = client.Connect(lab.Server.AddressPort(diameterPort))
				Expect(client.AwaitConnected(ctx)).To(Succeed())
				server, err := listener.Socket.AwaitAccept(ctx)
				Expect(err).NotTo(HaveOccurred())
				Expect(client.SendMessage(0, diameter, []byte("hello"))).To(Succeed())
				Expect(server.AwaitReadable(ctx)).To(Succeed())
				Expect(server.ReceiveMessage(make([]byte, 16))).To(HaveField("Data", []byte("hello")))
				Expect(client.Abort()).To(Succeed())
				Expect(server.Close()).To(Succeed())
			}
		}
		associate(10) // so that everything exists that is made only once
		before := held()

		associate(1000)

		after := held()
		AddReportEntry("held before and after 1,000 associations", fmt.Sprintf("before: %v; after: %v", before, after))
		Expect(after.descriptors).To(BeNumerically("<=", before.descriptors))
		Expect(after.goroutines).To(BeNumerically("<=", before.goroutines))
		Expect(after.threads).To(BeNumerically("<=", before.threads+2), "a busy runtime has one or two more")
		Eventually(lab.Server.Associations).WithTimeout(time.Second).Should(BeEmpty())
		Eventually(lab.Client.Associations).WithTimeout(time.Second).Should(BeEmpty())
	})
})

// holdings is what this process holds.
type holdings struct{ descriptors, goroutines, threads int }

// String returns the holdings in words.
func (h holdings) String() string {
	return fmt.Sprintf("%d descriptors, %d goroutines, %d threads", h.descriptors, h.goroutines, h.threads)
}

func held() holdings {
	GinkgoHelper()
	descriptors, err := os.ReadDir("/proc/self/fd")
	Expect(err).NotTo(HaveOccurred())
	threads, err := os.ReadDir("/proc/self/task")
	Expect(err).NotTo(HaveOccurred())
	return holdings{len(descriptors), runtime.NumGoroutine(), len(threads)}
}
