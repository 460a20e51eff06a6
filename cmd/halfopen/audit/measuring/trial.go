package measuring

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
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

// tooMany is how many packets with data there may not be while a connection is to be left
// alone.
const tooMany = 2000

// leftAlone is how long a connection has no data before anything happens to it, and
// anyway is how old one becomes that always has.
const (
	leftAlone = 10 * time.Second
	anyway    = time.Minute
)

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
	exit <-chan peer.Event
	// settled is closed once the connection has settled, or the trial has failed, and
	// ready says which. The first trial then knows how busy the machine is, and is told
	// how long to watch.
	settled  chan struct{}
	once     sync.Once
	ready    bool
	busyness float64 // wake-ups in a second, of the first trial
	watching chan time.Duration

	began     time.Time // when the connection was there
	struck    time.Time
	heard     time.Time // when the peer was last heard before that
	over      time.Time // when nothing more was waited for
	cut       bool      // because the audit was ended
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
		t.must(h.Links().Up("lo"))
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
	t.mustLast(t.awaitSettled())
	if t.role == undisturbed && t.plan.Watch == 0 {
		t.busyness = t.wakeUps()
	}
	t.ready = true
	t.settle()
	if t.role == undisturbed {
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
	t.observe()
	t.over, t.cut = time.Now(), t.ctx.Err() != nil
	if t.exited == nil {
		select { // a program that gives up may take a moment to end
		case e := <-t.exit:
			t.exited = &e
		case <-time.After(ending):
		}
	}
	if t.cut && t.role != undisturbed { // what was seen of that one is true, if it is seen for less long
		t.must(errEndedEarly)
	}
	t.flowKnown = t.firewallKnows()
	t.must(t.tracer.drain())
	return t.story()
}

// errEndedEarly is the error of a trial that the end of the audit has cut short.
var errEndedEarly = errors.New("the audit was ended early")

// awaitSettled waits until the connection has been left alone for a while, and returns
// how many packets with data there were in that time. One that never is left alone, a
// heartbeat's, has settled in the end; one with too many packets has not.
func (t *trial) awaitSettled() (packets int) {
	seen := 0
	for latest := t.began.Add(anyway); ; {
		data := t.near.Capture().Await(seen+tooMany, capture.Data, time.Now().Add(time.Second))
		now := time.Now()
		lately := slices.IndexFunc(data, func(p capture.Packet) bool { return now.Sub(p.At) < leftAlone })
		if seen = len(data); lately < 0 {
			lately = seen
		}
		packets = seen - lately
		alone := packets == 0 && now.Sub(t.began) >= leftAlone
		if alone || packets >= tooMany || now.After(latest) || t.story().ended() || t.ctx.Err() != nil {
			return packets
		}
	}
}

// settle says that the connection has settled, or never will.
func (t *trial) settle() { t.once.Do(func() { close(t.settled) }) }

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
		t.Fatalf("%s ended %v after the connection was made: %s%s", text, since(t.exited.At), t.exited.Text, wrote(t.program))
	case closed:
		t.Fatalf("%s ended the connection %v after it was made: it %s%s%s", text, since(noticed.at), noticed.what, hint, wrote(t.program))
	case s.ended():
		t.Fatalf("the other side ended the connection with %s before it had lasted %v", text, leftAlone)
	}
}

// observe lets the time pass in which something may come of the fault.
func (t *trial) observe() {
	watch := cmp.Or(t.watch, t.plan.Watch)
	if first := 2*t.idle + leftAlone; t.idle > 0 && first < watch {
		t.rest(first)
		if look(t.packets(), time.Now()).Silence.Lasted.Duration() < t.idle {
			return
		}
		watch -= first
	}
	t.rest(watch)
}

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
	return slices.DeleteFunc(t.near.Capture().Packets(), func(p capture.Packet) bool {
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
		t.lab.Timeline().Add(timeline.Event{At: c.at, Who: t.near.Name(), Kind: timeline.State, What: fmt.Sprintf("the program's socket goes from %v to %v, by %s", c.from, c.to, by)})
	}
	for _, f := range t.story().failures {
		t.lab.Timeline().Add(timeline.Event{At: f.at, Who: t.near.Name(), Kind: timeline.Peer, What: "a call of the program returns " + sock.ErrnoName(f.errno)})
	}
	file, err := os.Create(path + ".pcapng")
	if err != nil {
		return err
	}
	err = errors.Join(capture.WritePcapng(file, t.near.Capture(), t.far.Capture()), file.Close())
	return errors.Join(err, os.WriteFile(path+".txt", []byte(t.lab.Timeline().String()), 0o644))
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
