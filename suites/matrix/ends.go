package matrix

import (
	"net/netip"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/fixtures"
	"github.com/halfopen-lab/halfopen/fixtures/detection"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/peer"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

const port = 5000

// ends is a lab with watchers on one side. Their peer on the other side is one program that
// sends back what it receives on each connection.
type ends struct {
	lab       *harness.Lab
	protocol  detection.Protocol
	side      string
	near, far *harness.Host
	peer      *harness.Program
	watchers  []*watcher // those of a load follow one another, in the order of the detectors

	connections []*harness.Conn // the watchers' connections over TCP
}

func newEnds(protocol detection.Protocol, topology harness.Topology, side string) *ends {
	lab := harness.New(GinkgoT(), topology, sock.IPv4)
	e := &ends{lab: lab, protocol: protocol, side: side, near: lab.Client, far: lab.Server}
	if side == detection.Server {
		e.near, e.far = lab.Server, lab.Client
	}
	for _, load := range []string{detection.Idle, detection.Busy} {
		for _, d := range protocol.Detectors() {
			e.watchers = append(e.watchers, &watcher{detector: d, load: load})
		}
	}
	return e
}

// converse connects every watcher to the peer, and exchanges a word with the peer.
func (e *ends) converse() {
	switch {
	case e.protocol == detection.SCTP:
		e.associate()
	case e.side == detection.Client:
		e.peer = e.lab.StartServer(port, fixtures.Echo{})
		for _, w := range e.watchers {
			e.adopt(w, e.lab.Dial(port))
		}
	default:
		listener := e.lab.Server.Listen(port, len(e.watchers))
		e.peer = e.lab.StartClient(port, fixtures.Echo{Connections: len(e.watchers)})
		for _, w := range e.watchers {
			e.adopt(w, listener.Accept("server"))
		}
		listener.Close()
	}
	for _, w := range e.watchers {
		w.transport.converse()
		w.ready()
	}
}

// adopt gives a watcher its connection.
func (e *ends) adopt(w *watcher, c *harness.Conn) {
	w.transport = detect(c, w.detector)
	e.connections = append(e.connections, c)
}

// associate associates every watcher with the peer, on all paths. With one path the peer
// sends no HEARTBEATs: it would abort a dead association, in a race with the detectors.
func (e *ends) associate() {
	echo := fixtures.SCTPEcho{NoHeartbeats: len(e.lab.Paths()) == 1}
	if e.side == detection.Client {
		everywhere := netip.AddrPortFrom(netip.IPv4Unspecified(), port)
		e.peer = e.lab.Server.Start(echo.ServerCommand(everywhere))
		e.peer.Await(peer.Ready)
		for _, w := range e.watchers {
			w.transport = detectOverSCTP(e.lab.DialSCTP(port), w.detector)
		}
		return
	}
	listener := e.lab.Server.NewAssociation("listener", port)
	Expect(listener.Socket.Listen(len(e.watchers))).To(Succeed())
	echo.Associations = len(e.watchers)
	e.peer = e.lab.StartClient(port, echo)
	for _, w := range e.watchers {
		w.transport = detectOverSCTP(listener.Accept("server"), w.detector)
	}
	Expect(listener.Socket.Close()).To(Succeed())
}

// beginConnecting begins to connect every watcher.
func (e *ends) beginConnecting() {
	for _, w := range e.watchers {
		c := e.lab.Client.NewSocket("client")
		e.adopt(w, c)
		Expect(c.Connect(e.lab.Entrance(port))).To(MatchError(unix.EINPROGRESS))
		w.ready()
	}
}
