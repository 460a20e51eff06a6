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

// The program is the shell, which writes to the connection as its standard output.
var _ = Describe("A program that writes twice to a peer that has closed", Rows("Z9"), func() {
	EachFamily(func(family sock.Family) {
		writeTwice := func(script string) string {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			client, server := lab.Connect(5000)
			closed := server.TableEntry()
			server.Close()
			Expect(client).To(ReadZero(Within(time.Second)))
			Expect(closed).To(EnterState(sock.FinWait2, Within(time.Second)), "or else its answer to a late ACK is an RST more")
			Expect(client.Write("first")).To(Succeed())
			Expect(lab.Client).To(HaveReceived(1, capture.RST, Within(time.Second)))

			program := exec.Command("sh", "-c", script)
			program.Stdout = standardOutput(client)
			return lab.Client.Start(program).AwaitEnd()
		}

		It("is killed by SIGPIPE", func() {
			Expect(writeTwice("echo second; echo never reached >&2; exit 3")).To(Equal("signal: broken pipe"))
		})

		It("gets EPIPE when it has asked not to be, and goes on", func() {
			Expect(writeTwice("trap '' PIPE; echo second; exit 3")).To(Equal("exit status 3"))
		})
	})
})

// standardOutput is the connection as a file that a program can be given.
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
