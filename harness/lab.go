package harness

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	"github.com/halfopen-lab/halfopen/harness/private"
	"github.com/halfopen-lab/halfopen/harness/proxy"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/harness/steal"
	"github.com/halfopen-lab/halfopen/harness/timeline"
)

// promptly bounds what a healthy lab does in milliseconds: connecting, accepting.
const promptly = 5 * time.Second

// cableDelay is the delay of a cable in virtual time, that of a local network. Without it a
// packet and its answer pass all cables in the same nanosecond where the processor takes no
// time: the kernel cannot measure such a round trip. In real time the processor takes some
// microseconds for each cable, and many kernels have no netem.
const cableDelay = 50 * time.Microsecond

// Config says what lab Open builds. The zero value joins a client and a server by a cable
// and uses IPv4.
type Config struct {
	Topology Topology
	Family   sock.Family // of the addresses that Connect, Listen, Dialer and Address use; zero: sock.IPv4
	Name     string      // names the directory with the evidence of a lab that failed
}

// Lab is a running topology. Make one with New in a test, or with Open anywhere else.
//
// A step is a method that does something to the lab and returns no error: Connect, Apply,
// Start. A step that fails ends the test of New; in a lab of Open it ends the function
// given to Try. One goroutine at a time takes steps. Connections of Dialer, Listener and
// PacketConn may be made and used by any goroutine.
type Lab struct {
	Client, Server *Host

	config    Config
	hosts     []*Host // from the client to the server
	paths     []Path
	firewalls []*firewall.Firewall
	proxy     *proxy.Proxy // nil where the topology has none
	timeline  *timeline.Timeline

	t        TB
	closed   bool
	delay    time.Duration // of each cable, in both directions
	endWatch func()        // of when the machine stands still
	steps    map[kind]int  // how many there were

	mu     sync.Mutex
	routes map[uint16]*proxy.Route // by port of the server
}

// New opens a lab for a test, and closes it, with all that runs in it, when the test ends.
// A lab that cannot be opened fails the test. When the test has failed, the lab's evidence
// is kept and its timeline printed.
func New(t TB, topology Topology, family sock.Family) *Lab {
	t.Helper()
	// Register the clean-up first: Ginkgo abandons an interrupted spec while its goroutine
	// keeps running, and exits without a report if that goroutine registers one later.
	var opened atomic.Pointer[Lab]
	t.Cleanup(func() {
		lab := opened.Load()
		if lab == nil {
			return
		}
		if t.Failed() {
			lab.logEvidence()
		}
		if err := lab.Close(); err != nil {
			t.Errorf("%v", err)
		}
	})
	lab, err := open(t, Config{Topology: topology, Family: family, Name: t.Name()})
	if err != nil {
		t.Fatalf("%v", err)
	}
	opened.Store(lab)
	return lab
}

// Open builds a lab. The error says in one line why it cannot be built; nothing is left
// of it then. Close gives the lab back.
//
//	lab, err := harness.Open(harness.Config{Topology: harness.Firewalled})
//	if err != nil {
//		return err
//	}
//	defer lab.Close()
//	err = lab.Try(func() {
//		client, server := lab.Connect(5000)
//		lab.Apply(scenarios.SilentDrop{})
//		…
//	})
func Open(config Config) (*Lab, error) { return open(noTest{}, config) }

func open(t TB, config Config) (*Lab, error) {
	if !private.Here() {
		return nil, fmt.Errorf("building the lab %v: %w", config.Topology, errMain)
	}
	config.Family = cmp.Or(config.Family, sock.IPv4)
	lab := &Lab{config: config, timeline: timeline.New(), t: t, endWatch: func() {}, steps: map[kind]int{}, routes: map[uint16]*proxy.Route{}}
	if err := config.Topology.validate(); err != nil {
		return nil, fmt.Errorf("building the lab: %w", err)
	}
	if environment.Read().VirtualTime {
		lab.delay = cableDelay
	} else { // virtual time has no steal, and polling would keep the clock from jumping
		lab.endWatch = steal.Watch()
	}
	if err := lab.build(); err != nil {
		return nil, errors.Join(fmt.Errorf("building the lab %v: %w", config.Topology, err), lab.release())
	}
	return lab, nil
}

func (l *Lab) build() error {
	nodes := l.config.Topology.nodes()
	hosts := make([]*Host, len(nodes))
	err := forEach(len(nodes), func(i int) (err error) {
		hosts[i], err = newHost(l, nodes[i])
		return err
	})
	for _, host := range hosts {
		if host != nil {
			l.hosts = append(l.hosts, host)
		}
	}
	if err != nil {
		return err
	}
	l.Client, l.Server = l.hosts[0], l.hosts[len(l.hosts)-1]
	if err := l.cable(); err != nil {
		return err
	}
	return l.equip()
}

// equip gives each host what its role needs.
func (l *Lab) equip() (err error) {
	for _, host := range l.hosts {
		if host.role == Proxy {
			if l.proxy, err = proxy.Start(host.ns); err != nil {
				return err
			}
		}
		if !host.role.tracks() {
			continue
		}
		f, err := firewall.Open(host.ns, host.capture, l.timeline)
		if err != nil {
			return err
		}
		host.rules, host.firewall = f.Rules, f
		l.firewalls = append(l.firewalls, f)
		if host.role == NAT {
			if err := f.Masquerade(host.LinkTowardsServer(), firewall.PortRange{}); err != nil {
				return err
			}
		}
	}
	return nil
}

// Close gives the lab back: its programs are killed, its sockets closed, its namespaces
// removed. The error also reports packets that the lab's capture has lost: what is missing
// among captured packets proves nothing then. Closing twice does nothing.
func (l *Lab) Close() error {
	if l.closed {
		return nil
	}
	var errs []error
	for _, h := range l.hosts {
		if err := h.capture.Err(); err != nil {
			errs = append(errs, err)
		}
	}
	if err := l.release(); err != nil {
		errs = append(errs, fmt.Errorf("closing the lab: %w", err))
	}
	return errors.Join(errs...)
}

func (l *Lab) release() error {
	l.closed = true
	l.endWatch()
	var errs []error
	if l.proxy != nil {
		errs = append(errs, l.proxy.Close())
	}
	for _, f := range l.firewalls {
		errs = append(errs, f.Close())
	}
	return errors.Join(append(errs, forEach(len(l.hosts), func(i int) error { return l.hosts[i].close() }))...)
}

// forEach calls do for 0 … n-1 at once and returns all errors.
func forEach(n int, do func(i int) error) error {
	errs := make([]error, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { errs[i] = do(i) })
	}
	group.Wait()
	return errors.Join(errs...)
}

// Topology returns what the lab was built from.
func (l *Lab) Topology() Topology { return l.config.Topology }

// Family returns the family of the addresses that Connect, Listen, Dialer and Address use.
func (l *Lab) Family() sock.Family { return l.config.Family }

// Timeline returns what has happened in the lab so far: steps, packets, states, conntrack
// events, output of programs.
func (l *Lab) Timeline() *timeline.Timeline { return l.timeline }

// Hosts returns all hosts, from the client to the server.
func (l *Lab) Hosts() []*Host { return l.hosts }

// Paths returns the ways from the client to the server.
func (l *Lab) Paths() []Path { return l.paths }

// Firewall returns the first firewall or NAT; nil where the topology has none.
func (l *Lab) Firewall() *firewall.Firewall {
	if len(l.firewalls) == 0 {
		return nil
	}
	return l.firewalls[0]
}

// Firewalls returns all firewalls and NATs.
func (l *Lab) Firewalls() []*firewall.Firewall { return l.firewalls }

// Proxy returns the topology's toxiproxy; nil where there is none.
func (l *Lab) Proxy() *proxy.Proxy { return l.proxy }

// Host returns the host of that name. A name that the topology has not fails the step.
func (l *Lab) Host(name string) *Host {
	l.t.Helper()
	h := l.named(name)
	if h == nil {
		l.t.Fatalf("there is no host %q in the topology %v", name, l.config.Topology)
	}
	return h
}

// named returns the host of that name, or nil.
func (l *Lab) named(name string) *Host {
	at := slices.IndexFunc(l.hosts, func(h *Host) bool { return h.name == name })
	if at < 0 {
		return nil
	}
	return l.hosts[at]
}

// First returns the first host with a role, from the client's side; nil where the topology
// has none.
func (l *Lab) First(role Role) *Host {
	at := slices.IndexFunc(l.hosts, func(h *Host) bool { return h.role == role })
	if at < 0 {
		return nil
	}
	return l.hosts[at]
}

// ProxyHost returns the host on which the proxy runs; nil where the topology has none.
func (l *Lab) ProxyHost() *Host { return l.First(Proxy) }

// Prefixes returns the networks of the lab's cables, of both families.
func (l *Lab) Prefixes() []netip.Prefix {
	var prefixes []netip.Prefix
	for _, path := range l.paths {
		for _, s := range path.segments {
			prefixes = append(prefixes, s.prefixes()...)
		}
	}
	return prefixes
}

// context bounds a step that a healthy lab does in milliseconds.
func (l *Lab) context() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), promptly)
}
