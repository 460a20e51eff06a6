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

// stepTimeout bounds a step that takes milliseconds in a healthy lab: connecting, accepting.
const stepTimeout = 5 * time.Second

// cableDelay is the delay of a cable in virtual time: that of a local network. The processor takes
// no virtual time, so without it a packet and its answer would pass all cables in the same
// nanosecond, and the kernel could not measure the round trip. In real time the processor takes
// some microseconds for each cable, and many kernels have no netem.
const cableDelay = 50 * time.Microsecond

// Config describes the lab that Open builds. The zero value joins a client and a server by a cable
// and uses IPv4.
type Config struct {
	Topology Topology
	Family   sock.Family // of the addresses that Connect, Listen, Dialer and Address use; zero: sock.IPv4
	Name     string      // names the directory with the evidence of a lab whose test has failed
	// Delay is that of each cable in virtual time; zero: 50 µs, as in a local network. In real
	// time a cable has none.
	Delay time.Duration
}

// Lab is a running topology. Make one with New in a test, or with Open elsewhere.
//
// A step is a method that acts on the lab or reads from it, and returns no error: Connect, Apply,
// Start, Sockets. A step that fails ends the test of New with Fatalf; in a lab of Open it ends the
// function given to Try. One goroutine at a time takes steps. Any goroutine may make and use
// connections of Dialer, Listener and PacketConn.
type Lab struct {
	// Client and Server are the two ends of every topology.
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
	endWatch func()        // stops watching for pauses of the machine
	steps    map[kind]int  // how many steps of each kind there were

	exploration *exploration // nil: the lab is not explored

	mu     sync.Mutex
	routes map[uint16]*proxy.Route // of the proxy, by port of the server
	told   int                     // events that were there when a failure text last showed the last ones
}

// New opens a lab for a test, and closes it when the test ends. A lab that cannot be built fails
// the test. If the test has failed, New logs the timeline and keeps the lab's evidence in the
// directory failed of the report (variable HALFOPEN_REPORT), or in a temporary directory. A zero
// family is sock.IPv4.
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
		if t.Failed() || panicking() {
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

// Open builds a lab without a test. If it cannot be built, the error says why in one line, and
// nothing is left of it. Close ends the lab:
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
	if settings := environment.Read(); settings.VirtualTime {
		lab.delay = cmp.Or(config.Delay, cableDelay)
		if settings.Explore != nil {
			lab.delay = settings.Explore.CableDelay
		}
	} else { // virtual time has no steal, and polling would keep the clock from jumping
		lab.endWatch = steal.Watch()
	}
	if err := lab.build(); err != nil {
		return nil, errors.Join(fmt.Errorf("building the lab %v: %w", config.Topology, err), lab.release())
	}
	if err := lab.explore(); err != nil {
		return nil, errors.Join(err, lab.release())
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
	if err := l.join(); err != nil {
		return err
	}
	return l.startRoles()
}

// startRoles starts what the roles of the hosts need: the proxy, firewalls, NATs.
func (l *Lab) startRoles() (err error) {
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

// Close kills the programs of the lab, closes its sockets and removes its namespaces. It also
// returns an error if a capture has lost packets: a packet that is missing there may then have
// passed. Closing twice does nothing.
func (l *Lab) Close() error {
	if l.closed {
		return nil
	}
	errs := []error{l.exploration.close()}
	for _, h := range l.hosts {
		errs = append(errs, h.capture.Err())
	}
	if err := l.release(); err != nil {
		errs = append(errs, fmt.Errorf("closing the lab: %w", err))
	}
	return errors.Join(errs...)
}

// release is Close without the check of the captures, also for a lab that is half built.
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

// forEach calls do with 0 … n-1 at the same time and returns all errors.
func forEach(n int, do func(i int) error) error {
	errs := make([]error, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { errs[i] = do(i) })
	}
	group.Wait()
	return errors.Join(errs...)
}

// Topology returns the topology that the lab was built from.
func (l *Lab) Topology() Topology { return l.config.Topology }

// Family returns the family of the addresses that Connect, Listen, Dialer and Address use.
func (l *Lab) Family() sock.Family { return l.config.Family }

// Timeline returns the lab's timeline: steps, packets, socket states, conntrack events, output of
// programs.
func (l *Lab) Timeline() *timeline.Timeline { return l.timeline }

// Hosts returns all hosts, from the client to the server.
func (l *Lab) Hosts() []*Host { return l.hosts }

// Paths returns the paths from the client to the server, in the order of the topology.
func (l *Lab) Paths() []Path { return l.paths }

// Firewall returns the firewall or NAT that is nearest to the client; nil if the topology has none.
func (l *Lab) Firewall() *firewall.Firewall {
	if len(l.firewalls) == 0 {
		return nil
	}
	return l.firewalls[0]
}

// Firewalls returns all firewalls and NATs, from the client to the server.
func (l *Lab) Firewalls() []*firewall.Firewall { return l.firewalls }

// Proxy returns the topology's toxiproxy; nil if the topology has none.
func (l *Lab) Proxy() *proxy.Proxy { return l.proxy }

// Host returns the host with a name. It fails the step if the topology has no such host.
func (l *Lab) Host(name string) *Host {
	l.t.Helper()
	h := l.lookup(name)
	if h == nil {
		l.t.Fatalf("there is no host %q in the topology %v", name, l.config.Topology)
	}
	return h
}

// lookup returns the host with a name; nil if there is none.
func (l *Lab) lookup(name string) *Host {
	at := slices.IndexFunc(l.hosts, func(h *Host) bool { return h.name == name })
	if at < 0 {
		return nil
	}
	return l.hosts[at]
}

// First returns the host with a role that is nearest to the client; nil if the topology has none.
func (l *Lab) First(role Role) *Host {
	at := slices.IndexFunc(l.hosts, func(h *Host) bool { return h.role == role })
	if at < 0 {
		return nil
	}
	return l.hosts[at]
}

// ProxyHost returns the host that the proxy runs on; nil if the topology has none.
func (l *Lab) ProxyHost() *Host { return l.First(Proxy) }

// Prefixes returns the networks of the lab's cables, two for each: IPv4 and IPv6.
func (l *Lab) Prefixes() []netip.Prefix {
	var prefixes []netip.Prefix
	for _, path := range l.paths {
		for _, s := range path.segments {
			prefixes = append(prefixes, s.prefixes()...)
		}
	}
	return prefixes
}

// context returns a context that ends after stepTimeout.
func (l *Lab) context() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), stepTimeout)
}
