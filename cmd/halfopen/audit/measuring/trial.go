package measuring

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/answer"
	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/contained"
	"github.com/halfopen-lab/halfopen/cmd/halfopen/audit/plan"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/peer"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/harness/timeline"
)

// ending is how long a program may take to end once it has noticed.
const ending = 2 * time.Second

// quickly is what a program may be busy for with a new connection, and tooMany how many
// packets with data there may be until it has settled.
const (
	quickly = 2 * time.Second
	tooMany = 2000
)

// settling is how long a connection is left alone before anything happens to it.
const settling = 10 * time.Second

// trial is one fault, in a lab of its own, met by one connection of one copy of the
// program.
type trial struct {
	*test
	fault
	ctx    context.Context
	number int
	plan   *plan.Plan
	tracer *tracer

	lab       *harness.Lab
	near, far *harness.Host    // the program's, and the peer's
	program   *harness.Program // the box of the one under test
	peer      *harness.Program // of the other one; nil: a fixture
	conn      *harness.Conn    // the fixture's end; nil: a program
	reading   context.CancelFunc

	local, remote uint16 // the ports of the connection, as the program's kernel has them
	loopback      bool
	took          time.Duration // until the program was ready
	settings      *settings

	gone *destruction
	exit chan peer.Event
	// The first trial: closed once its connection has settled, or it has failed; then
	// the busyness of the machine is known, and how long to watch.
	settled  chan struct{}
	settling sync.Once
	ready    bool
	busyness float64 // wake-ups in a second
	watching chan time.Duration

	began     time.Time // when the connection was there
	struck    time.Time
	heard     time.Time // when the peer was last heard before that
	over      time.Time // when nothing more was waited for
	exited    *peer.Event
	flowKnown bool
}

// run carries the trial out; the story is what is left to be judged.
func (t *trial) run() story {
	t.lab = harness.New(t, harness.Firewalled, sock.IPv4)
	t.near, t.far = t.lab.Server, t.lab.Client
	if t.plan.UnderTest == plan.Client {
		t.near, t.far = t.far, t.near
	}
	for _, h := range []*harness.Host{t.near, t.far} {
		t.must(h.Links.Up("lo"))
	}
	var err error
	t.gone, err = watchDestruction(t.near)
	t.must(err)
	t.Cleanup(t.gone.close)
	if t.before != nil {
		t.before(t)
	}
	t.connect()
	t.began = time.Now()
	t.near.Capture.Await(tooMany, capture.Data, t.began.Add(quickly))
	before := switches()
	flood := t.near.Capture.Await(tooMany, capture.Data, t.began.Add(settling))
	t.busyness = float64(switches()-before) / 2 / (settling - quickly).Seconds()
	t.mustLast(len(flood))
	if t.role == undisturbed {
		t.ready = true
		t.watching = make(chan time.Duration, 1)
		t.settle()
		t.watch = <-t.watching
	}
	t.settings = t.inForce()
	t.struck = time.Now()
	t.heard = t.lastHeard(t.struck)
	if t.announced {
		t.heard = t.struck
	}
	if t.strike != nil {
		t.strike(t)
	}
	if t.then != nil {
		t.rest(t.while)
		t.then(t)
	}
	t.rest(cmp.Or(t.watch, t.plan.Watch))
	t.over = time.Now()
	if t.exited == nil {
		select { // a program that gives up may take a moment to end
		case e := <-t.exit:
			t.exited = &e
		case <-time.After(ending):
		}
	}
	t.must(context.Cause(t.ctx))
	t.flowKnown = t.firewallKnows()
	return t.story()
}

// settle says that the connection has settled, or never will.
func (t *trial) settle() { t.settling.Do(func() { close(t.settled) }) }

// mustLast ends the trial when its connection has not settled, which leaves nothing to
// measure.
func (t *trial) mustLast(packets int) {
	s := t.story()
	text := t.plan.Program(t.plan.UnderTest).Text
	hint := ""
	if t.conn != nil && t.plan.Send == "" {
		hint = ", and was sent nothing (--send)"
	}
	since := func(at time.Time) answer.Seconds { return answer.Of(at.Sub(t.began)) }
	if t.exited == nil && s.ended() {
		select { // it closes its connections as it ends, or before
		case e := <-t.exit:
			t.exited = &e
		case <-time.After(ending):
		}
	}
	switch noticed, closed := s.program(); {
	case packets >= tooMany:
		t.Fatalf("%s floods: %d packets with data in %v: there is nothing idle to measure", text, packets, since(time.Now()))
	case t.exited != nil:
		t.Fatalf("%s ended %v after the connection was made: %s%s", text, since(t.exited.At), t.exited.Text, t.wrote(t.program))
	case closed:
		t.Fatalf("%s ended the connection %v after it was made: it %s%s%s", text, since(noticed.at), noticed.what, hint, t.wrote(t.program))
	case s.ended():
		t.Fatalf("the other side ended the connection with %s before it had lasted %v", text, settling)
	}
}

// connect starts the program, and the peer, until they have a connection.
func (t *trial) connect() {
	if t.plan.Server != nil {
		t.startServer()
	}
	if t.plan.Client != nil {
		t.startClient()
		return
	}
	t.dial()
}

// ports are those that the client connects from: they tell the trials apart in the
// trace, whose addresses are all the same.
func (t *trial) ports() (first, last uint16) {
	first = uint16(20000 + t.number*portsEach)
	return first, first + portsEach - 1
}

const portsEach = 200

// start starts a program in a box on a host.
func (t *trial) start(host *harness.Host, p *plan.Program) *harness.Program {
	order := contained.Order{Directory: p.Directory, User: p.User,
		Environment: append([]string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8"}, p.Environment...)}
	for _, argument := range p.Command {
		order.Command = append(order.Command, plan.Filled(argument, t.lab.Server.Address().String(), t.plan.Port))
	}
	for _, d := range t.plan.Directories {
		order.Make = append(order.Make, contained.Directory(d))
	}
	cmd, err := contained.Command(order)
	t.must(err)
	return host.Start(cmd)
}

// startServer starts the server and returns when it listens.
func (t *trial) startServer() {
	began := time.Now()
	p := t.start(t.lab.Server, t.plan.Server)
	t.adopt(p, plan.Server)
	until := began.Add(t.plan.Ready)
	for {
		news := t.tracer.news()
		listeners := t.listeners()
		at, found := listeners[t.plan.Port]
		if found {
			t.took = time.Since(began)
			t.reach(at)
			return
		}
		select {
		case <-news:
			continue
		case e := <-t.exit:
			t.Fatalf("%s", t.ended(e, fmt.Sprintf("it listened on port %d", t.plan.Port)))
		case <-t.ctx.Done():
			t.must(context.Cause(t.ctx))
		case <-time.After(time.Until(until)):
			t.Fatalf("%s has not begun to listen on port %d within %v: %s%s", t.plan.Server.Text, t.plan.Port, t.plan.Ready, elsewhere(listeners), t.wrote(p))
		}
	}
}

// adopt takes note of a program's end.
func (t *trial) adopt(p *harness.Program, side plan.Side) {
	if side != t.plan.UnderTest {
		t.peer = p
		return
	}
	t.program = p
	t.exit = make(chan peer.Event, 1)
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)
	exit := t.exit
	go func() {
		if e, ok := awaitEnd(ctx, p.Program); ok {
			exit <- e
		}
	}()
}

// awaitEnd waits until nothing of a program is left; ok is false when ctx ends first. A
// daemon that ends at once and goes on in the background has not ended.
func awaitEnd(ctx context.Context, p *peer.Program) (e peer.Event, ok bool) {
	e, err := p.Await(ctx, contained.Exited)
	switch failed, is := p.Event(contained.Failed); {
	case is:
		return failed, true
	case err != nil:
		return peer.Event{Name: contained.Failed, Text: err.Error(), At: time.Now()}, ctx.Err() == nil
	case e.N == 0:
		return e, true
	}
	if _, err := p.AwaitEnd(ctx); err != nil {
		return peer.Event{}, false
	}
	return peer.Event{Name: contained.Exited, Text: "the last process that it had left in the background has ended", At: time.Now()}, true
}

// ended says why there is nothing to measure.
func (t *trial) ended(e peer.Event, before string) string {
	text := t.plan.Program(t.plan.UnderTest).Text
	if e.Name == contained.Failed {
		return fmt.Sprintf("%s could not be started: %s", text, e.Text)
	}
	return fmt.Sprintf("%s ended before %s: %s%s", text, before, e.Text, t.wrote(t.program))
}

// wrote is the last that a program has written, for error texts.
func (t *trial) wrote(p *harness.Program) string {
	var last []string
	for _, e := range p.Events() {
		if e.Name == contained.Wrote {
			last = append(last, e.Text)
		}
	}
	if len(last) == 0 {
		return "; it wrote nothing"
	}
	return "; it wrote: " + strings.Join(last[max(0, len(last)-3):], " / ")
}

// listeners are the ports on which the server's host listens, each with the address.
func (t *trial) listeners() map[uint16]netip.Addr {
	found := map[uint16]netip.Addr{}
	for _, e := range t.lab.Server.Sockets() {
		if e.State != sock.Listening {
			continue
		}
		if at, ok := found[e.Local.Port()]; !ok || at.IsLoopback() {
			found[e.Local.Port()] = e.Local.Addr()
		}
	}
	return found
}

func elsewhere(listeners map[uint16]netip.Addr) string {
	if len(listeners) == 0 {
		return "it listens on no port at all"
	}
	var all []string
	for port, at := range listeners {
		all = append(all, netip.AddrPortFrom(at, port).String())
	}
	slices.Sort(all)
	return "it listens on " + strings.Join(all, ", ")
}

// reach makes a server that listens on a loopback address only reachable from the lab,
// without touching it: its host's packet filter leads there, and back.
func (t *trial) reach(at netip.Addr) {
	switch {
	case at.IsUnspecified(), at.Unmap() == t.lab.Server.Address():
		return
	case !at.Unmap().Is4() || !at.IsLoopback():
		t.Fatalf("%s listens on %v only, where nobody in the lab can connect to it", t.plan.Server.Text, netip.AddrPortFrom(at, t.plan.Port))
	}
	t.loopback = true
	t.must(lead(t.lab.Server, "firewall", at.Unmap(), t.plan.Port))
}

// dial connects the fixture.
func (t *trial) dial() {
	first, _ := t.ports()
	t.conn = t.lab.Client.NewSocket("client")
	t.must(t.conn.Bind(t.lab.Client.AddressPort(first)))
	t.local, t.remote = t.plan.Port, first
	ctx, cancel := context.WithTimeout(context.Background(), t.plan.Ready)
	defer cancel()
	err := t.conn.Connect(t.lab.Server.AddressPort(t.plan.Port))
	if err == unix.EINPROGRESS {
		err = t.conn.AwaitConnected(ctx)
	}
	if err != nil {
		t.Fatalf("connecting to port %d of %s: %s", t.plan.Port, t.plan.Server.Text, sock.ErrnoName(err))
	}
	t.read()
	t.must(t.say())
}

// startClient starts the client and returns when it is connected.
func (t *trial) startClient() {
	var listener *harness.Listener
	if t.plan.Server == nil {
		listener = t.lab.Server.Listen(t.plan.Port, 128)
	}
	first, last := t.ports()
	t.must(t.lab.Client.Do(func() error {
		return os.WriteFile("/proc/sys/net/ipv4/ip_local_port_range", fmt.Appendf(nil, "%d %d", first, last), 0)
	}))
	began := time.Now()
	p := t.start(t.lab.Client, t.plan.Client)
	t.adopt(p, plan.Client)
	until := began.Add(t.plan.Ready)
	for connected := false; !connected; {
		news := t.tracer.news()
		port, found := t.tracer.connected(first, last, t.plan.Port)
		if found {
			connected = true
			t.local, t.remote = port, t.plan.Port
			if t.plan.UnderTest == plan.Server {
				t.local, t.remote = t.plan.Port, port
			} else {
				t.took = time.Since(began)
			}
			break
		}
		select {
		case <-news:
		case e := <-t.exit:
			t.Fatalf("%s", t.ended(e, fmt.Sprintf("it was connected to port %d", t.plan.Port)))
		case <-t.ctx.Done():
			t.must(context.Cause(t.ctx))
		case <-time.After(time.Until(until)):
			t.Fatalf("%s has not connected to port %d within %v%s", t.plan.Client.Text, t.plan.Port, t.plan.Ready, t.wrote(p))
		}
	}
	if listener != nil {
		t.conn = listener.Accept("server")
		t.read()
		t.must(t.say())
	}
}

// say sends what the user has supplied.
func (t *trial) say() error {
	message := []byte(t.plan.Send)
	for len(message) > 0 {
		n, err := t.conn.Send(message)
		if err != nil {
			return fmt.Errorf("sending %d bytes: %w", len(message), err)
		}
		message = message[n:]
	}
	return nil
}

// read reads what comes to the fixture, and closes when the program has.
func (t *trial) read() {
	ctx, cancel := context.WithCancel(context.Background())
	t.reading = cancel
	t.Cleanup(cancel)
	c := t.conn.Conn
	go func() {
		buffer := make([]byte, 64<<10)
		for {
			if err := c.AwaitReadable(ctx); err != nil {
				return
			}
			n, err := c.Receive(buffer)
			if err == unix.EAGAIN {
				continue
			}
			if err != nil || n == 0 {
				_ = c.Close()
				return
			}
			if t.plan.Echo {
				_, _ = c.Send(buffer[:n]) // an error is read next
			}
		}
	}()
}

func (t *trial) stopReading() { t.reading() }

// rest lets time pass, for so long or until the story of the connection is over.
func (t *trial) rest(d time.Duration) {
	until := time.Now().Add(d)
	for {
		news, gone := t.tracer.news(), t.gone.news()
		if t.story().told() {
			return
		}
		select {
		case <-news:
		case <-gone:
		case e := <-t.exit:
			t.exited = &e
		case <-t.ctx.Done():
			return
		case <-time.After(time.Until(until)):
			return
		}
	}
}

// lastHeard is when the last packet of the connection came from the peer.
func (t *trial) lastHeard(before time.Time) time.Time {
	last := t.began
	for _, p := range t.packets() {
		if !p.Out && p.At.Before(before) {
			last = p.At
		}
	}
	return last
}

// packets are those of the connection, as the program's host has seen them.
func (t *trial) packets() []capture.Packet {
	return slices.DeleteFunc(t.near.Capture.Packets(), func(p capture.Packet) bool {
		here, there := p.Dst.Port(), p.Src.Port()
		if p.Out {
			here, there = there, here
		}
		return !p.TCP || here != t.local || there != t.remote
	})
}

// firewallKnows says whether the firewall still has the connection; one without a
// policy has none, and lets everything through.
func (t *trial) firewallKnows() bool {
	client, server := t.lab.Client.AddressPort(t.remote), t.lab.Server.AddressPort(t.local)
	if t.near == t.lab.Client {
		client, server = t.lab.Client.AddressPort(t.local), t.lab.Server.AddressPort(t.remote)
	}
	return t.lab.Knows(client, server)
}

// keep writes the trial's packets and timeline into the report.
func (t *trial) keep(path string) error {
	t.lab.Recent() // brings the timeline up to now
	for _, c := range t.story().changes {
		by := "a task"
		if c.softirq {
			by = "a packet or a timer"
		}
		t.lab.Timeline.Add(timeline.Event{At: c.at, Who: t.near.Name, Kind: timeline.State, What: fmt.Sprintf("the program's socket goes from %v to %v, by %s", c.from, c.to, by)})
	}
	for _, f := range t.story().failures {
		t.lab.Timeline.Add(timeline.Event{At: f.at, Who: t.near.Name, Kind: timeline.Peer, What: "a call of the program returns " + sock.ErrnoName(f.errno)})
	}
	file, err := os.Create(path + ".pcapng")
	if err != nil {
		return err
	}
	err = errors.Join(capture.WritePcapng(file, t.near.Capture, t.far.Capture), file.Close())
	return errors.Join(err, os.WriteFile(path+".txt", []byte(t.lab.Timeline.String()), 0o644))
}

// signal sends a signal to every process in a program's box.
func signal(p *harness.Program, s syscall.Signal) error {
	processes, err := contained.Processes(p.PID())
	if err != nil {
		return err
	}
	for _, pid := range processes {
		if err := unix.Kill(pid, s); err != nil && err != unix.ESRCH {
			return fmt.Errorf("sending %v to process %d: %w", s, pid, err)
		}
	}
	return nil
}
