package harness

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	"github.com/halfopen-lab/halfopen/harness/private"
	"github.com/halfopen-lab/halfopen/harness/proxy"
	"github.com/halfopen-lab/halfopen/harness/reexec"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/harness/steal"
	"github.com/halfopen-lab/halfopen/harness/timeline"
)

// TB is what a lab needs of a test: *testing.T, *testing.B and Ginkgo's GinkgoT()
// have it.
type TB interface {
	Helper()
	Name() string
	Failed() bool
	Cleanup(func())
	Logf(format string, args ...any)
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// promptly bounds what a healthy lab does in milliseconds: connecting, accepting.
const promptly = 5 * time.Second

// cableDelay is the delay of a cable in virtual time, that of a local network. Without it a
// packet and its answer pass all cables in the same nanosecond where the processor takes no
// time: the kernel cannot measure such a round trip. In real time the processor takes some
// microseconds for each cable, and many kernels have no netem.
const cableDelay = 50 * time.Microsecond

// Lab is a running topology. Make one with New.
type Lab struct {
	Topology Topology
	Family   sock.Family // of the addresses that Connect, Listen and Address use

	Client, Server *Host
	Hosts          []*Host              // from the client to the server
	Paths          []Path               // from the client to the server, of which only Multihomed has two
	Firewall       *firewall.Firewall   // of the first path; nil where the topology has none
	Firewalls      []*firewall.Firewall // of all paths
	Proxy          *proxy.Proxy         // nil where the topology has none
	Timeline       *timeline.Timeline

	t        TB
	delay    time.Duration           // of each cable, in both directions
	endWatch func()                  // of when the machine stands still
	steps    map[kind]int            // how many there were
	routes   map[uint16]*proxy.Route // by port of the server
}

// New builds a lab and gives it back, with all that runs in it, when the test
// ends. A lab that cannot be built fails the test and leaves nothing behind.
func New(t TB, topology Topology, family sock.Family) *Lab {
	t.Helper()
	// The clean-up is announced before anything is built. Ginkgo gives an interrupted
	// spec up while it goes on, and ends the process, without a report, when such a
	// spec announces one.
	var built atomic.Pointer[Lab]
	t.Cleanup(func() {
		lab := built.Load()
		if lab == nil {
			return
		}
		if t.Failed() {
			lab.keepEvidence()
		}
		for _, h := range lab.Hosts {
			// "No RST was received" proves nothing when packets are missing.
			if err := h.Capture.Trouble(); err != nil {
				t.Errorf("%v", err)
			}
		}
		if err := lab.close(); err != nil {
			t.Errorf("giving the lab back: %v", err)
		}
	})
	lab, err := open(t, topology, family)
	if err != nil {
		t.Fatalf("building the lab %v: %v", topology, err)
	}
	built.Store(lab)
	return lab
}

func open(t TB, topology Topology, family sock.Family) (*Lab, error) {
	if !private.Here() {
		return nil, errMain
	}
	if _, ok := paths[topology]; !ok {
		return nil, fmt.Errorf("%v is not known", topology)
	}
	lab := &Lab{Topology: topology, Family: family, Timeline: timeline.New(), t: t, endWatch: func() {}, steps: map[kind]int{}, routes: map[uint16]*proxy.Route{}}
	if environment.Read().VirtualTime {
		lab.delay = cableDelay
	} else { // virtual time has no steal, and polling would keep the clock from jumping
		lab.endWatch = steal.Watch()
	}
	if err := lab.build(); err != nil {
		return nil, errors.Join(err, lab.close())
	}
	return lab, nil
}

func (l *Lab) build() error {
	names := l.Topology.hosts()
	hosts := make([]*Host, len(names))
	err := together(len(names), func(i int) (err error) {
		hosts[i], err = newHost(l, names[i])
		return err
	})
	for _, host := range hosts {
		if host != nil {
			l.Hosts = append(l.Hosts, host)
		}
	}
	if err != nil {
		return err
	}
	l.Client, l.Server = l.Hosts[0], l.Hosts[len(l.Hosts)-1]
	if err := l.cable(); err != nil {
		return err
	}
	return l.equip()
}

// equip gives the firewall and the proxy of the topology what makes them so.
func (l *Lab) equip() (err error) {
	for _, host := range l.Hosts {
		switch host.Name {
		case "firewall", "firewall-2":
			f, err := firewall.Open(host.ns, host.Capture, l.Timeline)
			if err != nil {
				return err
			}
			host.Rules = f.Rules
			l.Firewalls = append(l.Firewalls, f)
		case "proxy":
			if l.Proxy, err = proxy.Start(host.ns); err != nil {
				return err
			}
		}
	}
	if len(l.Firewalls) > 0 {
		l.Firewall = l.Firewalls[0]
	}
	if l.Topology == NATed {
		return l.Firewall.Masquerade(linkName(l.Server), firewall.PortRange{})
	}
	return nil
}

func (l *Lab) close() error {
	l.endWatch()
	var errs []error
	if l.Proxy != nil {
		errs = append(errs, l.Proxy.Close())
	}
	for _, f := range l.Firewalls {
		errs = append(errs, f.Close())
	}
	return errors.Join(append(errs, together(len(l.Hosts), func(i int) error { return l.Hosts[i].close() }))...)
}

// together does something for each of n at once.
func together(n int, do func(i int) error) error {
	errs := make([]error, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { errs[i] = do(i) })
	}
	group.Wait()
	return errors.Join(errs...)
}

// Host is the host of that name; the test fails when the topology has none.
func (l *Lab) Host(name string) *Host {
	l.t.Helper()
	for _, h := range l.Hosts {
		if h.Name == name {
			return h
		}
	}
	l.t.Fatalf("there is no host %q in the topology %v", name, l.Topology)
	return nil
}

// ProxyHost is the host on which the proxy runs; nil where the topology has none.
func (l *Lab) ProxyHost() *Host {
	for _, h := range l.Hosts {
		if h.Name == "proxy" {
			return h
		}
	}
	return nil
}

// Prefixes are the networks of the lab's cables, of both families.
func (l *Lab) Prefixes() []netip.Prefix {
	var prefixes []netip.Prefix
	for _, path := range l.Paths {
		for _, s := range path.segments {
			prefixes = append(prefixes, s.prefixes()...)
		}
	}
	return prefixes
}

// Connect opens a TCP connection from the client to a port of the server, or
// through the proxy where there is one, and returns both ends, established.
func (l *Lab) Connect(port uint16) (client, server *Conn) {
	l.t.Helper()
	listener := l.Server.Listen(port, 16)
	defer func() { _ = listener.Close() }()
	client = l.Dial(port)
	server = listener.Accept("server")
	return client, server
}

// StartServer starts a program inside this binary on the server that listens on a port and returns
// when it is ready.
func (l *Lab) StartServer(port uint16, program reexec.Name, arguments ...string) *Program {
	l.t.Helper()
	listen := netip.AddrPortFrom(l.Server.Address(), port).String()
	p := l.Server.Start(reexec.Command(program, append([]string{"-listen", listen}, arguments...)...))
	p.Await("ready")
	return p
}

// StartClient starts a program inside this binary on the client that connects to a port of the
// server, or through the proxy, and returns when it is connected.
func (l *Lab) StartClient(port uint16, program reexec.Name, arguments ...string) *Program {
	l.t.Helper()
	p := l.Client.Start(reexec.Command(program, append([]string{"-connect", l.Entrance(port).String()}, arguments...)...))
	p.Await("connected")
	return p
}

// Dial connects the client to a port that listens, and fails the test when that
// does not succeed promptly.
func (l *Lab) Dial(port uint16) *Conn {
	l.t.Helper()
	client := l.Client.NewSocket("client")
	client.MustConnect(l.Entrance(port))
	return client
}

// LastData is when the last data arrived at a host: the instant from which a
// program there counts its peer's silence.
func (l *Lab) LastData(at *Host) time.Time {
	l.t.Helper()
	received := at.Received(capture.Data)
	if len(received) == 0 {
		l.t.Fatalf("no data has arrived at %v yet\n%s", at, l.Recent())
	}
	return received[len(received)-1].At
}

// Knows says whether the firewall has a conntrack entry for a flow.
func (l *Lab) Knows(client, server netip.AddrPort) bool {
	l.t.Helper()
	_, known, err := l.Firewall.Find(client, server)
	if err != nil {
		l.t.Fatalf("%v", err)
	}
	return known
}

// Entrance is the address that the client connects to for a port of the server:
// the server's own, or that of a proxy, which it makes forward the port.
func (l *Lab) Entrance(port uint16) netip.AddrPort {
	l.t.Helper()
	if l.Proxy == nil {
		return netip.AddrPortFrom(l.Server.Address(), port)
	}
	entrance := netip.AddrPortFrom(l.ProxyHost().Address(), port)
	if _, known := l.routes[port]; !known {
		route, err := l.Proxy.Forward(fmt.Sprintf("port-%d", port), entrance.String(), netip.AddrPortFrom(l.Server.Address(), port).String())
		if err != nil {
			l.t.Fatalf("%v", err)
		}
		l.routes[port] = route
	}
	return entrance
}

// Route is the proxy's route for a port of the server.
func (l *Lab) Route(port uint16) *proxy.Route {
	l.t.Helper()
	l.Entrance(port)
	return l.routes[port]
}

// context bounds a step that a healthy lab does in milliseconds.
func (l *Lab) context() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), promptly)
}
