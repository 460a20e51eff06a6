package spec

import (
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/halfopen-lab/halfopen/harness"
)

// Say writes a text at one end of a connection, and expects to read it at the other end.
func Say(from, to *harness.Conn, text string) {
	GinkgoHelper()
	Expect(from.Write(text)).To(Succeed())
	Expect(to.Read()).To(Equal(text))
}

// Talk sends a word from the client to the server, and another one back.
func Talk(client, server *harness.Conn) {
	GinkgoHelper()
	Say(client, server, "hello")
	Say(server, client, "hello yourself")
}
