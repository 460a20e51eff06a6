package audit

import (
	"fmt"
	"slices"
	"time"

	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

const (
	// settleTime is how long a connection carries no data before a fault strikes.
	settleTime = 10 * time.Second
	// maxSettle is how old a connection becomes that always carries data, before a fault
	// strikes all the same.
	maxSettle = time.Minute
	// maxDataPackets is how many packets with data there may be within settleTime.
	maxDataPackets = 2000
)

// shortestLife is how long a connection lives at least that a fault can meet: for less, what
// the program does and what the fault does could not be told apart.
const shortestLife = 200 * time.Millisecond

// settling returns settleTime and maxSettle, or less for a program whose quiet connection
// ended before it had settled: the faults strike in the middle of its life.
func (p *plan) settling() (quiet, longest time.Duration) {
	if p.shortLife < shortestLife {
		return settleTime, maxSettle
	}
	middle := p.shortLife / 2
	return min(settleTime, middle), middle
}

// awaitSettled waits until the connection has carried no data for the settling time, and
// returns how many packets with data there were in that time. A connection that always
// carries some, such as a heartbeat, has settled after the longest settling time; one with
// maxDataPackets never does.
func (t *trial) awaitSettled() (packets int) {
	quietTime, longest := t.plan.settling()
	seen := 0
	for latest := t.began.Add(longest); ; {
		now := time.Now()
		data := t.near.Capture().Await(seen+maxDataPackets, capture.Data, earlier(now.Add(min(time.Second, quietTime)), latest))
		now = time.Now()
		lately := slices.IndexFunc(data, func(p capture.Packet) bool { return now.Sub(p.At) < quietTime })
		if seen = len(data); lately < 0 {
			lately = seen
		}
		packets = seen - lately
		quiet := packets == 0 && now.Sub(t.began) >= quietTime
		if quiet || packets >= maxDataPackets || !now.Before(latest) || t.story().over() || t.ctx.Err() != nil {
			return packets
		}
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// settleDown waits until the connection has settled, or is over before it has. The quiet
// connection's trial then measures how often the programs wake up, and is told how long to
// watch.
func (t *trial) settleDown() error {
	if packets := t.awaitSettled(); packets >= maxDataPackets {
		return fmt.Errorf("%s floods: %d packets with data within %v: an idle connection cannot be measured", t.plan.command(t.plan.UnderTest), packets, settleTime)
	}
	if err := t.noteEarlyEnd(); err != nil {
		return err
	}
	if t.role == quiet && t.plan.Watch == 0 && t.early == "" {
		var err error
		if t.wakeups, err = t.measureWakeups(); err != nil {
			return err
		}
	}
	t.ready = true
	t.settle()
	if t.role == quiet {
		t.watch = <-t.watching
	}
	return nil
}

// noteEarlyEnd notes that the connection is over before the fault could happen, if it is: who
// ended it, when, and the last that the program said.
func (t *trial) noteEarlyEnd() error {
	if t.exited == nil && !t.story().over() {
		return nil
	}
	if t.exited == nil { // a program closes its connections as it ends, or before
		t.awaitExit()
	}
	if err := t.trace.Drain(); err != nil {
		return err
	}
	s := t.story()
	since := func(at time.Time) answer.Seconds { return answer.Of(at.Sub(t.began)) }
	learned, known := s.kernel()
	noticed, closed := s.program()
	switch {
	case known && (!closed || !noticed.at.Before(learned.at)):
		t.early = fmt.Sprintf("the peer ended the connection before the fault, %v after it was made (%s)", since(learned.at), learned.what)
		t.lived = learned.at.Sub(t.began)
	case closed:
		t.early = fmt.Sprintf("the program %s before the fault, %v after the connection was made", past[noticed.what], since(noticed.at))
		t.lived = noticed.at.Sub(t.began)
	default:
		t.early = fmt.Sprintf("the program ended before the fault, %v after the connection was made (%s)", since(t.exited.At), t.exited.How)
		t.lived = t.exited.At.Sub(t.began)
	}
	t.lastWords = t.saidLast()
	return nil
}

// past are what a program does with its connection, as something that it has done.
var past = map[string]string{closes: "closed", aborts: "aborted"}
