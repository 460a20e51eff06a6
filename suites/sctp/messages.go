package sctp

import (
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/fixtures"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/require"
	"github.com/halfopen-lab/halfopen/harness/sock"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

const (
	diameter     = 46   // the payload protocol identifier of Diameter (RFC 6733 §2.1)
	diameterPort = 3868 // the port of Diameter (RFC 6733 §2.1)
)

var _ = Describe("SCTP messages", Needs(require.SCTP), func() {
	EachFamily(func(family sock.Family) {
		It("keep their boundaries, streams and payload protocols, in both directions", Rows("S1"), func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			client, server := lab.Associate(diameterPort, threeStreams)

			for _, direction := range []struct{ from, to *harness.Association }{{client, server}, {server, client}} {
				for stream := range uint16(3) {
					Expect(direction.from.Write(stream, diameter+uint32(stream), fmt.Sprintf("message on %d", stream))).To(Succeed())
				}
				for stream := range uint16(3) {
					Expect(direction.to.Read()).To(Equal(sock.Message{
						Data: []byte(fmt.Sprintf("message on %d", stream)), Stream: stream, Protocol: diameter + uint32(stream), Whole: true,
					}))
				}
			}

			Expect(lab.Server.Received(capture.SCTP(capture.INIT))).To(HaveLen(1))
			Expect(lab.Server.Received(capture.SCTP(capture.COOKIEECHO))).To(HaveLen(1))
			Expect(lab.Client.Received(capture.SCTP(capture.INITACK))).To(HaveLen(1))
			Expect(lab.Client.Received(capture.SCTP(capture.COOKIEACK))).To(HaveLen(1))
		})

		It("to a stream that was not negotiated give EINVAL", Rows("S1"), func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			client, server := lab.Associate(diameterPort, threeStreams)

			for _, end := range []*harness.Association{client, server} {
				status, err := end.Socket.Status()
				Expect(err).NotTo(HaveOccurred())
				Expect(status).To(Equal(sock.Status{State: sock.SCTPEstablished, Outbound: 3, Inbound: 3}))
				Expect(end.Write(3, diameter, "astray")).To(MatchError(unix.EINVAL))
			}
			Expect(client.Write(2, diameter, "in its place")).To(Succeed())
			Expect(server.ReadToEnd(quiet)).To(Equal([]string{`"in its place"`, "nothing"}))
		})

		It("that have not arrived yet give EAGAIN, which is not the end", Rows("S3"), func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			client, server := lab.Associate(diameterPort, nil)

			_, err := client.Socket.ReceiveMessage(make([]byte, 16))
			Expect(err).To(Equal(unix.EAGAIN))

			Expect(server.Write(0, diameter, "only late")).To(Succeed())
			Expect(client.ReadToEnd(quiet)).To(Equal([]string{`"only late"`, "nothing"}))
		})
	})
})

// The incident: a server fails with EAGAIN as soon as a client has connected.
var _ = Describe("An SCTP server with non-blocking sockets, and a client that connects and sends nothing yet", Rows("S3"), Needs(require.SCTP), func() {
	EachFamily(func(family sock.Family) {
		It("drops the client if it takes EAGAIN for the end", func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			server := lab.StartServer(diameterPort, fixtures.SCTPReadLoop{EAGAINIsTheEnd: true})

			client := lab.DialSCTP(diameterPort)

			Expect(server).To(AnnounceErrno(fixtures.Failed, unix.EAGAIN, Within(time.Second)))
			Expect(client).To(ReadZero(Within(time.Second)))
		})

		It("keeps the client if it waits until there is something to read", Waits(time.Second), func() {
			lab := harness.New(GinkgoT(), harness.Direct, family)
			server := lab.StartServer(diameterPort, fixtures.SCTPReadLoop{NonBlocking: true})

			client := lab.DialSCTP(diameterPort)

			Expect(server).To(GoWithout(fixtures.Failed, time.Second))
			Expect(client.Write(0, diameter, "only late")).To(Succeed())
			client.Close()
			Expect(server).To(Announce(fixtures.Closed, Within(time.Second)))
		})
	})
})

// threeStreams makes both ends ask for three streams and accept no more.
func threeStreams(client, listener *harness.Association) {
	for _, end := range []*harness.Association{client, listener} {
		Expect(end.Socket.SetInit(sock.Init{Outbound: 3, Inbound: 3})).To(Succeed())
	}
}
