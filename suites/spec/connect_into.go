package spec

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/scenarios"
)

// ConnectInto begins to connect a client to a server that would accept, behind a router that
// answers the SYN with an ICMP error. The error arrives after a second.
//
// The first SYN is dropped. In a lab the answer to it would arrive while connect(2) still
// holds the socket, and the kernel would only remember the error (sk_err_soft).
func ConnectInto(lab *harness.Lab, answer scenarios.ICMP) *harness.Conn {
	GinkgoHelper()
	lab.Server.Listen(5000, 1)
	client := lab.Client.NewSocket("client")
	outage := scenarios.SilentDrop{}
	lab.Apply(outage)
	Expect(client.Connect(lab.Entrance(5000))).To(MatchError(unix.EINPROGRESS))
	lab.Apply(scenarios.ICMPError{Answer: answer})
	lab.Heal(outage)
	return client
}
