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

// awaitSettled waits until the connection has carried no data for settleTime, and returns
// how many packets with data there were in the last settleTime. A connection that always
// carries some, such as a heartbeat, has settled after maxSettle; one with maxDataPackets
// never does.
func (t *trial) awaitSettled() (packets int) {
	seen := 0
	for latest := t.began.Add(maxSettle); ; {
		data := t.near.Capture().Await(seen+maxDataPackets, capture.Data, time.Now().Add(time.Second))
		now := time.Now()
		lately := slices.IndexFunc(data, func(p capture.Packet) bool { return now.Sub(p.At) < settleTime })
		if seen = len(data); lately < 0 {
			lately = seen
		}
		packets = seen - lately
		quiet := packets == 0 && now.Sub(t.began) >= settleTime
		if quiet || packets >= maxDataPackets || now.After(latest) || t.story().over() || t.ctx.Err() != nil {
			return packets
		}
	}
}

// settleDown waits until the connection has settled. The quiet connection's trial then
// measures how often the programs wake up, and is told how long to watch.
func (t *trial) settleDown() error {
	if err := t.checkSettled(t.awaitSettled()); err != nil {
		return err
	}
	if t.role == quiet && t.plan.Watch == 0 {
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

// checkSettled returns why the connection has not settled, which leaves nothing to measure;
// packets is how many carried data within settleTime.
func (t *trial) checkSettled(packets int) error {
	s := t.story()
	program := t.plan.command(t.plan.UnderTest)
	hint := ""
	if t.peer == nil && t.plan.Send == "" {
		hint = ", and was sent nothing (--send)"
	}
	since := func(at time.Time) answer.Seconds { return answer.Of(at.Sub(t.began)) }
	if t.exited == nil && s.over() { // a program closes its connections as it ends, or before
		t.awaitExit()
	}
	switch noticed, closed := s.program(); {
	case packets >= maxDataPackets:
		return fmt.Errorf("%s floods: %d packets with data within %v: an idle connection cannot be measured", program, packets, settleTime)
	case t.exited != nil:
		return fmt.Errorf("%s ended %v after the connection was made: %s%s", program, since(t.exited.At), t.exited.How, t.said()+wrote(t.program))
	case closed:
		return fmt.Errorf("%s ended the connection %v after it was made: it %s%s%s", program, since(noticed.at), noticed.what, hint, t.said()+wrote(t.program))
	case s.over():
		return fmt.Errorf("the other side ended the connection with %s before it had lasted %v%s", program, settleTime, t.said()+wrote(t.program))
	}
	return nil
}
