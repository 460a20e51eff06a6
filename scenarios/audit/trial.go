package audit

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/box"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/harness/trace"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// trial is one fault, in a lab of its own, met by one connection of one copy of the
// program.
type trial struct {
	fault
	ctx    context.Context // ends when the audit is to end early
	life   context.Context // ends with the trial
	number int
	plan   *plan
	trace  *trace.Trace

	lab       *harness.Lab
	near, far *harness.Host    // of the program under test, and of its peer
	program   *harness.Program // the box of the program under test
	peer      *harness.Program // the box of the other program; nil: a fixture
	server    *harness.Program // the box of the server; nil: a fixture
	beside    []*running       // the programs beside the two
	shared    map[sharing]*box.Files
	fixture   fixture // the peer where that is no program

	found   connections   // of the program
	chosen  *connection   // the one that the trial is about, from the fault on
	met     []*connection // those that the fault strikes
	dialled *connection   // by the fixture; nil: the client is a program

	loopback   bool // the server listens on loopback addresses only
	readyAfter time.Duration

	destroyed  *trace.Destroyed // sockets of the program's host
	exit       <-chan box.Exit  // of the program under test
	serverExit <-chan box.Exit  // of the server; nil: a fixture, which does not end

	// settled is closed when the connection has settled, and then ready is true, or when
	// the trial has failed. The quiet connection's trial then also knows wakeups, and is
	// told how long to watch.
	settled  chan struct{}
	once     sync.Once
	ready    bool
	wakeups  float64 // of the programs, a second
	watching chan time.Duration

	began time.Time // when there was a connection
	// early is why the fault met no connection, or none as it should be, in the answer's
	// words; empty: it did. lived is how long the connection lived that was over before.
	early       string
	lastWords   string // what the program sent and wrote last, then
	lived       time.Duration
	struck      time.Time // when the fault happened
	ended       time.Time // when the fault began to end; zero: it does not end
	over        time.Time // when the watch ended
	cut         bool      // the audit ended the watch early
	exited      *box.Exit
	looked      bool                // whether the program spins
	spins       bool                // it does, and was stopped
	told        []story             // of the connections that the fault has struck; the first is what the trial is about
	opened      []answer.Connection // all of the program's connections
	association association         // of SCTP
	// recovered is what came after a fault that ends; nil: it does not.
	recovered *answer.Recovery

	peerDestroyed *trace.Destroyed
	peerExit      <-chan box.Exit      // of a peer that is a program
	peerExited    *box.Exit            // nil: it runs
	peerTold      *story               // of the peer's end of the connection; nil: it was not watched
	underWay      map[string]time.Time // when each side sent the data that is unacknowledged at the end, by answer.ByProgram and answer.ByPeer
}

// newTrial returns a trial that has not begun.
func newTrial(ctx context.Context, number int, p *plan, f fault, t *trace.Trace) *trial {
	return &trial{fault: f, ctx: ctx, number: number, plan: p, trace: t, settled: make(chan struct{}), watching: make(chan time.Duration, 1)}
}

// errEndedEarly is the error of a trial that the end of the audit has cut short.
var errEndedEarly = errors.New("the audit was ended early")

// run carries the trial out in a lab of its own and returns its story. It keeps the packets
// and the timeline in path.pcapng and path.txt; where the trial cannot be measured, the
// lab's evidence in the directory evidence. Unless the user has chosen a family, a server that
// the quiet connection cannot reach by IPv4 is reached by IPv6, in that trial and in all that
// follow.
func (t *trial) run(path, evidence string) (story, error) {
	s, err := t.runInLab(path, evidence)
	if t.role == quiet && t.plan.Family == AnyFamily && errors.Is(err, errIPv6Only) {
		t.plan.Over = sock.IPv6
		return t.runInLab(path, evidence)
	}
	return s, err
}

func (t *trial) runInLab(path, evidence string) (s story, err error) {
	topology := t.topology
	if topology == nil {
		topology = harness.Firewalled
	}
	t.lab, err = harness.Open(harness.Config{Topology: topology, Family: t.plan.Over, Name: t.title()})
	if err != nil {
		return story{}, err
	}
	defer func() { err = errors.Join(err, t.lab.Close()) }()
	life, end := context.WithCancel(context.Background())
	defer end()
	t.life = life
	var own error
	step := t.lab.Try(func() { own = t.takeSteps() })
	if errors.Is(own, errIPv6Only) && t.role == quiet {
		return story{}, own
	}
	if err := errors.Join(step, own); err != nil {
		_, kept := t.lab.KeepEvidence(evidence)
		return story{}, errors.Join(err, kept)
	}
	if t.plan.Protocol == SCTP {
		return story{}, t.keep(path)
	}
	t.told, t.opened = t.stories(), t.listed()
	t.recovered = t.recovery()
	for i := range t.told {
		t.told[i].packets = t.packetsOf(t.told[i].connection)
	}
	return t.told[0], t.keep(path)
}

// takeSteps takes all steps of the trial, in their order.
func (t *trial) takeSteps() error {
	if t.plan.Protocol == SCTP {
		return t.takeSCTPSteps()
	}
	if err := t.watchHosts(); err != nil {
		return err
	}
	if t.before != nil {
		t.before(t)
	}
	defer t.forgetFiles(answer.Server)
	defer t.forgetFiles(answer.Client)
	if err := t.startBeside(answer.Server, answer.Client); err != nil {
		return err
	}
	if t.hinder != nil {
		return t.attempt()
	}
	if err := t.connect(); err != nil {
		return t.blameBeside(err, "there was a connection")
	}
	t.lab.Observe() // the fixture's end is established
	t.began = time.Now()
	if err := t.blameBeside(t.settleDown(), "the connection had settled"); err != nil {
		return err
	}
	t.choose()
	if err := t.inflict(); err != nil {
		return err
	}
	t.lab.Observe()
	if t.early == "" || t.role == quiet {
		t.observe()
	}
	t.over, t.cut = time.Now(), t.ctx.Err() != nil
	if t.exited == nil {
		t.awaitExit()
	}
	if t.cut && t.role != quiet { // what was seen of the quiet connection holds for the shorter time
		return errEndedEarly
	}
	for _, c := range t.met {
		c.forgotten = !t.firewallKnows(c)
	}
	if err := t.trace.Drain(); err != nil {
		return err
	}
	t.noteAftermath()
	return nil
}

// watchHosts begins to watch the hosts of the program and of its peer.
func (t *trial) watchHosts() error {
	t.trace.Include(t.lab.Prefixes()...)
	t.near, t.far = t.lab.Server, t.lab.Client
	if t.plan.UnderTest == answer.Client {
		t.near, t.far = t.far, t.near
	}
	for _, h := range []*harness.Host{t.near, t.far} {
		if err := h.Links().Up("lo"); err != nil {
			return err
		}
	}
	for host, destroyed := range map[*harness.Host]**trace.Destroyed{t.near: &t.destroyed, t.far: &t.peerDestroyed} {
		if err := host.Do(func() (err error) { *destroyed, err = trace.WatchDestroyed(); return err }); err != nil {
			return err
		}
		context.AfterFunc(t.life, func() { _ = (*destroyed).Close() })
	}
	return nil
}

// inflict lets the fault happen, unless the connection is over before.
func (t *trial) inflict() error {
	if t.busy && !t.impairs && t.early == "" {
		if err := t.awaitUnderWay(); err != nil {
			return err
		}
	}
	if t.early != "" && t.role != quiet {
		return nil
	}
	t.struck = time.Now()
	for _, c := range t.met {
		c.heard = t.struck
		if !t.announced {
			c.heard = t.lastHeard(c, t.struck)
		}
	}
	if t.strike != nil {
		if err := t.strike(t); err != nil {
			return err
		}
	}
	if t.busy && t.answers {
		if err := t.forwardData(); err != nil {
			return err
		}
	}
	if t.busy && t.impairs && t.fixtureAsks() { // another peer is asked by the program
		for _, c := range t.met {
			c.heard = time.Now() // the request is heard, and counts
		}
		if err := t.step("the peer sends a request", t.say); err != nil {
			return err
		}
	}
	if t.then == nil {
		if t.passing && t.plan.UnderTest == answer.Client {
			t.ended = t.struck
		}
		return nil
	}
	if err := t.last(); err != nil {
		return err
	}
	if t.busy {
		if err := t.forwardData(); err != nil {
			return err
		}
	}
	t.ended = time.Now()
	return t.then(t)
}

// settle reports that the connection has settled, or never will.
func (t *trial) settle() { t.once.Do(func() { close(t.settled) }) }

// observe lets the time pass in which the fault may show. A flow that a firewall has kept for
// twice its timeout is watched no longer.
func (t *trial) observe() {
	watch := t.watchTime()
	if first := 2*t.idle + settleTime; t.idle > 0 && first < watch {
		t.rest(first)
		if !slices.ContainsFunc(t.met, func(c *connection) bool { return !t.firewallKnows(c) }) {
			return
		}
		watch -= first
		if at, ok := t.forgottenAt(); ok && t.plan.UnderTest == answer.Client && t.role == row && !t.picksUp {
			t.ended = at
		}
	}
	if !t.ended.IsZero() {
		t.observeRecovery(watch)
		return
	}
	t.rest(watch)
}

// watchTime returns how long the trial is watched: the time that the user has set; otherwise as
// long as the audit can afford, but a firewall until it has forgotten, and as long again. The
// advised settings are tried for as long as they take.
func (t *trial) watchTime() time.Duration {
	switch {
	case t.role == remedy, t.role == variant:
		return t.watch
	case t.plan.affordable:
		return max(t.plan.Watch, 2*t.idle+settleTime)
	}
	return t.plan.Watch
}

// rest lets a time pass, or less when the story of the connection is over earlier.
func (t *trial) rest(d time.Duration) {
	until := time.Now().Add(d)
	for {
		traced, destroyed, peerDestroyed := t.trace.News(), t.destroyed.News(), t.peerDestroyed.News()
		stories := t.stories()
		noticed := !slices.ContainsFunc(stories, func(s story) bool { return !s.noticed() })
		if noticed && !(t.awaitsPeer() && !t.peerStory(t.chosen).noticed()) || t.spinsAfterEnd(stories) {
			return
		}
		select {
		case <-traced:
		case <-destroyed:
		case <-peerDestroyed:
		case e := <-t.exit:
			t.exited = &e
		case e := <-t.peerExit:
			t.peerExited = &e
		case <-t.ctx.Done():
			return
		case <-time.After(time.Until(until)):
			return
		}
	}
}

// wait lets a time pass, whatever happens meanwhile.
func (t *trial) wait(d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-t.ctx.Done():
		return errEndedEarly
	}
}

// exitTime is how long a program may take to end once it has noticed.
const exitTime = 2 * time.Second

// awaitExit waits for the program to end, which takes a moment where it gives up.
func (t *trial) awaitExit() {
	select {
	case e := <-t.exit:
		t.exited = &e
	case <-time.After(exitTime):
	}
}

// lastHeard returns when the last packet of a connection before an instant came from the peer. A
// reset may come from a firewall.
func (t *trial) lastHeard(c *connection, before time.Time) time.Time {
	last := c.began
	for _, p := range t.packetsOf(c) {
		if !p.Out && !p.RST && p.At.Before(before) {
			last = p.At
		}
	}
	return last
}

// packets returns the packets of the connection that the trial is about.
func (t *trial) packets() []capture.Packet {
	if main := t.main(); main != nil {
		return t.packetsOf(main)
	}
	return nil
}

// carries reports whether the connection that the trial is about carries a packet that the
// program's host has seen.
func (t *trial) carries(p capture.Packet) bool {
	main := t.main()
	return main != nil && main.carries(p)
}

// firewallKnows reports whether the firewall has a connection. A firewall without a policy
// tracks none, and lets everything through.
func (t *trial) firewallKnows(c *connection) bool {
	client, server := c.remote, c.local
	if t.near == t.lab.Client {
		client, server = c.local, c.remote
	}
	return t.lab.Knows(t.lab.Client.AddressPort(client), t.lab.Server.AddressPort(server))
}
