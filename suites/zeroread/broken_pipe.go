package zeroread

import (
	"os"
	"os/exec"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/sock"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

// The program is a shell whose standard output is the connection.
var _ = Describe("A program that writes twice to a peer that has closed", Rows("Z9"), func() {
	EachFamily(func(family sock.Family) {
		writeTwice := func(script string) string {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			client, server := lab.Connect(5000)
			closed := server.TableEntry()
			server.Close()
			Expect(client).To(ReadZero(Within(time.Second)))
			Expect(closed).To(EnterState(sock.FinWait2, Within(time.Second)), "otherwise it answers a late ACK with another RST")
			Expect(client.Write("first")).To(Succeed())
			Expect(lab.Client).To(HaveReceived(1, capture.RST, Within(time.Second)))

			program := exec.Command("sh", "-c", script)
			program.Stdout = standardOutput(client)
			return lab.Client.Start(program).AwaitEnd()
		}

		It("is killed by SIGPIPE", func() {
			Expect(writeTwice("echo second; echo never reached >&2; exit 3")).To(Equal("signal: broken pipe"))
		})

		It("gets EPIPE and goes on if it ignores SIGPIPE", func() {
			Expect(writeTwice("trap '' PIPE; echo second; exit 3")).To(Equal("exit status 3"))
		})
	})
})

// standardOutput returns the connection as a file that can be a program's standard output.
func standardOutput(c *harness.Conn) *os.File {
	var file *os.File
	Expect(c.Socket.Control(func(fd int) error {
		duplicate, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 0)
		file = os.NewFile(uintptr(duplicate), "the connection")
		return err
	})).To(Succeed())
	DeferCleanup(file.Close)
	return file
}
