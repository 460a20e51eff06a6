package audit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/box"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/harness/trace"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
	"github.com/halfopen-lab/halfopen/scenarios/explore"
)

// cableTime is the delay of each cable in an exploration. It is much longer than what a strike
// takes, so that a strike between two packets is between them.
const cableTime = 5 * time.Millisecond

const (
	// quietTime is how long no packet has passed when a run without a fault is over.
	quietTime = 10 * time.Second
	// longestQuiet is how long such a run takes at most.
	longestQuiet = time.Minute
	// closingTime is the same for a run whose client has done all that it does.
	closingTime = time.Second
)

// exploration is one run: the programs in a lab of their own, and what strikes them.
type exploration struct {
	*trial
	blows    []blow
	quiet    *sight // the last look at the quiet run; nil: this is the quiet run
	clock    *harness.Clock
	switches [2]*os.File // of the firewall's links: what arrives from the client, from the server
	asker    *asker      // nil: the client is a program

	first, last time.Time // the first packet; the last act
	seen        *sight    // the last look
}

// newExploration returns a run that has not begun. The quiet run has no strikes, and shows what
// the others must do.
func newExploration(ctx context.Context, number int, p *plan, run explore.Run, quiet *sight, t *trace.Trace) *exploration {
	e := &exploration{trial: newTrial(ctx, number%maxTrials, p, fault{name: "exploration"}, t), quiet: quiet}
	e.found.read, e.fixture.noDelay = len(t.Changes(0)), true
	e.blows, _ = p.blows(run) // Explored.Try has checked it
	return e
}

// run makes the run. The error is why it shows nothing. Unless the path is empty it keeps the
// packets, the timeline and the ladder there.
func (e *exploration) run(path string) (err error) {
	if err := startSecond(); err != nil {
		return err
	}
	e.lab, err = harness.Open(harness.Config{Topology: harness.Firewalled, Family: sock.IPv4, Name: "exploration", Delay: cableTime})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.lab.Close()) }()
	life, end := context.WithCancel(context.Background())
	defer end()
	e.life = life
	defer func() {
		for _, f := range e.switches {
			_ = f.Close() // some are nil
		}
	}()
	var own error
	step := e.lab.Try(func() { own = e.takeSteps() })
	if err := errors.Join(step, own); err != nil {
		return err
	}
	if path != "" {
		return e.keep(path)
	}
	return nil
}

// takeSteps takes all steps of the run, in their order.
func (e *exploration) takeSteps() error {
	if err := e.watchHosts(); err != nil {
		return err
	}
	var err error
	if e.clock, err = harness.StartClock([]*harness.Host{e.lab.Client}, e.plan.Port, e.actsOf(e.blows)); err != nil {
		return err
	}
	defer e.clock.Stop()
	for _, b := range e.blows {
		if b.prepare != nil {
			if err := b.prepare(e); err != nil {
				return err
			}
		}
	}
	defer e.forgetFiles(answer.Server)
	defer e.forgetFiles(answer.Client)
	if err := e.startBeside(answer.Server, answer.Client); err != nil {
		return err
	}
	if e.plan.Server.given() {
		if err := e.startServer(); err != nil {
			return err
		}
	} else {
		e.listen()
	}
	first, last := e.ports()
	if err := e.connectFrom(first, last-portsAfterReboot); err != nil {
		return err
	}
	if e.plan.Client.given() {
		_, _, err = e.start(answer.Client)
	} else {
		e.asker = &asker{t: e, wanted: e.plan.Explore.requests()}
		e.asker.ask(e.life)
	}
	if err == nil {
		err = e.observe()
	}
	e.clock.Stop()
	e.asker.rest()
	return errors.Join(err, e.trace.Drain())
}

// sight is what is seen of a run at an instant.
type sight struct {
	At        time.Time
	Exited    *box.Exit // of the program under test
	Connected int       // its connections whose other end is there as well
	Ghosts    []string  // its sockets that have lost their peer
	Requests  []request // that the fixture that is the server has received
	Replaced  int       // its connections that it ended itself, and another followed
	Answered  int       // requests of the asker
	Trouble   string    // of the asker's last connection
}

// observe looks at the run from time to time until there is nothing more to see, or the time
// is over that the promises give it.
func (e *exploration) observe() error {
	began := time.Now()
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 15*time.Second) {
		var err error
		if e.first, e.last, err = e.clock.State(); err != nil {
			return err
		}
		e.seen = e.look()
		now := e.seen.At
		switch {
		case e.ctx.Err() != nil:
			return errEndedEarly
		case e.first.IsZero() && e.seen.Exited != nil:
			return endedTooEarly(e.plan.command(e.plan.UnderTest), e.program, *e.seen.Exited, "the first packet")
		case e.first.IsZero() && now.Sub(began) > e.plan.Ready:
			return fmt.Errorf("no client tried to connect to port %d within %v", e.plan.Port, e.plan.Ready)
		case !e.first.IsZero() && e.over(now):
			return nil
		}
		select {
		case x := <-e.exit:
			e.exited = &x
		case <-e.ctx.Done():
		case <-time.After(wait):
		}
	}
}

// over reports whether there is nothing more to see at an instant.
func (e *exploration) over(now time.Time) bool {
	if e.quiet == nil {
		calm := e.silentFor(now) >= quietTime || e.finished() && e.silentFor(now) >= closingTime
		return len(e.goals()) == 0 && len(e.seen.Ghosts) == 0 && calm || now.Sub(e.first) >= longestQuiet
	}
	if e.last.IsZero() { // an act is to come
		return false
	}
	promises := e.plan.Explore
	demanded := !unhealed(e.blows)
	goals := demanded && len(e.goals()) > 0
	switch {
	case e.exited != nil && e.plan.UnderTest == answer.Server:
		return true
	case goals:
		return now.Sub(e.last) >= promises.recover()
	case len(e.ghosts()) > 0:
		return now.Sub(e.last) >= promises.notice()
	}
	return now.Sub(e.last) >= quietTime || e.finished() && e.silentFor(now) >= closingTime
}

// finished reports whether the client has done all that it does.
func (e *exploration) finished() bool {
	if e.asker != nil {
		return e.asker.finished()
	}
	return e.exited != nil && e.plan.UnderTest == answer.Client
}

// silentFor returns for how long no packet has passed.
func (e *exploration) silentFor(now time.Time) time.Duration {
	last := e.first
	for _, p := range e.near.Capture().Packets() {
		last = p.At
	}
	return now.Sub(last)
}

// look looks at the run.
func (e *exploration) look() *sight {
	e.connections() // up to now
	s := &sight{At: time.Now()}
	if e.exited == nil {
		select {
		case x := <-e.exit:
			e.exited = &x
		default:
		}
	}
	s.Exited = e.exited
	near, far := e.connectedSockets(e.near), e.connectedSockets(e.far)
	for _, own := range near {
		there := slices.IndexFunc(far, func(f sock.Entry) bool {
			return f.Local.Port() == own.Remote.Port() && f.Remote.Port() == own.Local.Port() && f.State != sock.TimeWait
		})
		switch {
		case own.Inode == 0: // no program holds it
		case own.State == sock.CloseWait, own.State == sock.Established && there < 0:
			s.Ghosts = append(s.Ghosts, fmt.Sprintf("port %d to port %d in %v", own.Local.Port(), own.Remote.Port(), own.State))
		case own.State == sock.Established && far[there].State == sock.Established:
			s.Connected++
		}
	}
	for _, c := range e.connections() {
		if end := c.changes[len(c.changes)-1]; c.number > 0 && end.To == sock.Closed && e.destroyed.Since(c.local, c.remote, c.began).IsZero() {
			s.Ghosts = append(s.Ghosts, fmt.Sprintf("port %d to port %d, which its kernel has closed", c.local, c.remote))
		}
	}
	if e.asker != nil {
		s.Answered, s.Trouble = e.asker.told()
	}
	s.Requests, s.Replaced = e.requests(), len(e.replaced())
	return s
}

// connectedSockets returns the sockets of a host that have to do with the server's port, but
// for those that listen.
func (e *exploration) connectedSockets(h *harness.Host) []sock.Entry {
	return slices.DeleteFunc(h.Sockets(), func(s sock.Entry) bool {
		return s.State == sock.Listening || s.Local.Port() != e.plan.Port && s.Remote.Port() != e.plan.Port
	})
}

// established returns the connections of the program that are established.
func (e *exploration) established() (open []*connection) {
	for _, c := range e.connections() {
		if c.open() {
			open = append(open, c)
		}
	}
	return open
}

// isRun selects the packets of a run.
func (e *exploration) isRun(p capture.Packet) bool {
	return p.TCP && (p.Src.Port() == e.plan.Port || p.Dst.Port() == e.plan.Port)
}
