package matrix

import (
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/fixtures/detection"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

// The sides.
const (
	client = "client"
	server = "server"
)

const port = 5000

// ends is a lab with the programs that watch on one side of it, and on the other
// their peer: one program that sends back what it gets, on every connection.
type ends struct {
	lab       *harness.Lab
	side      string
	near, far *harness.Host
	peer      *harness.Program
	watchers  []*watcher // by load, and by detector
}

func newEnds(topology harness.Topology, side string) *ends {
	lab := harness.New(GinkgoT(), topology, sock.IPv4)
	e := &ends{lab: lab, side: side, near: lab.Client, far: lab.Server}
	if side == server {
		e.near, e.far = lab.Server, lab.Client
	}
	for _, load := range []string{detection.Idle, detection.Busy} {
		for _, d := range detection.Detectors {
			e.watchers = append(e.watchers, &watcher{detector: d, load: load})
		}
	}
	return e
}

// converse connects every watcher to the peer and exchanges a word with it.
func (e *ends) converse() {
	if e.side == client {
		e.peer = e.lab.StartServer(port, "echo")
		for _, w := range e.watchers {
			w.adopt(e.lab.Dial(port))
		}
	} else {
		listener := e.lab.Server.Listen(port, len(e.watchers))
		e.peer = e.lab.StartClient(port, "echo", "-connections", fmt.Sprint(len(e.watchers)))
		for _, w := range e.watchers {
			w.adopt(listener.Accept("server"))
		}
		Expect(listener.Close()).To(Succeed())
	}
	for _, w := range e.watchers {
		Expect(w.conn.Write("hello")).To(Succeed())
		Expect(w.conn.ReadAll(len("hello"))).To(Equal("hello"))
		w.ready()
	}
}

// knock begins to connect every watcher.
func (e *ends) knock() {
	for _, w := range e.watchers {
		w.adopt(e.lab.Client.NewSocket(client))
		Expect(w.conn.Connect(e.lab.Entrance(port))).To(MatchError(unix.EINPROGRESS))
		w.ready()
	}
}
