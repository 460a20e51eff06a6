package audit

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// underWayTime is how long data of the program has been under way, unacknowledged, when a
// fault meets it.
const underWayTime = time.Second

// awaitUnderWay returns when the program has data under way that nobody has acknowledged: the
// firewall drops it. The fixture asks for it; a peer that is a program, or only answers, waits
// until the program sends by itself. Where the program sends nothing, or the connection is over
// before the fault, the trial is noted as one that cannot be measured.
func (t *trial) awaitUnderWay() error {
	if err := t.dropData(); err != nil {
		return err
	}
	asked, limit := time.Now(), settleTime
	if !t.fixtureAsks() {
		limit = t.plan.Watch
	} else if err := t.step("the peer sends a request", t.say); err != nil {
		if noting := t.noteEarlyEnd(); noting != nil || t.early != "" {
			return noting
		}
		return err
	}
	if !t.awaitData(asked, limit) {
		if err := t.noteEarlyEnd(); err != nil || t.early != "" {
			return err
		}
		t.early = fmt.Sprintf("the program sent no data within %v", answer.Seconds(limit))
		if t.fixtureAsks() {
			t.early += " of the request (--conversation, --send)"
		}
		return nil
	}
	quiet, _ := t.plan.settling()
	if err := t.wait(min(underWayTime, quiet/2)); err != nil {
		return err
	}
	return t.noteEarlyEnd()
}

// dropData makes the router drop the data that the program sends.
func (t *trial) dropData() error {
	dropped := droppedData{t.near.Address(), t.plan.Protocol}
	return t.step("the firewall drops the data that the program sends", func() error { return t.lab.Hosts()[1].Rules().Set(dropped, dropped.rule()) })
}

// forwardData makes the router forward it again.
func (t *trial) forwardData() error {
	dropped := droppedData{t.near.Address(), t.plan.Protocol}
	return t.step("the firewall forwards the data that the program sends", func() error { return t.lab.Hosts()[1].Rules().Set(dropped) })
}

// awaitData waits until the program has sent data after an instant, and reports whether it
// has; not when the connection is over before, or the time.
func (t *trial) awaitData(after time.Time, limit time.Duration) bool {
	isData := capture.Where("data of the program", func(p capture.Packet) bool {
		if t.plan.Protocol == SCTP {
			return p.Out && p.At.After(after) && capture.SCTP(capture.DATA).Matches(p)
		}
		return p.Out && p.Length > 0 && p.At.After(after) && t.carries(p)
	})
	for until := time.Now().Add(limit); ; {
		if len(t.near.Capture().Await(1, isData, earlier(until, time.Now().Add(settleTime)))) > 0 {
			return true
		}
		if t.story().over() || t.ctx.Err() != nil || !time.Now().Before(until) {
			return false
		}
	}
}

// droppedData is the rule set of a firewall that drops data which one side sends. Empty
// acknowledgements and keepalive probes pass: TCP pushes the end of each write (PSH), and SCTP has
// chunks of data.
type droppedData struct {
	of       netip.Addr
	protocol Protocol
}

// String implements firewall.Owner.
func (d droppedData) String() string { return fmt.Sprintf("data of %v", d.of) }

func (d droppedData) rule() firewall.Rule {
	what := "-p tcp --tcp-flags PSH PSH"
	if d.protocol == SCTP {
		what = "-p sctp -m sctp --chunk-types any DATA"
	}
	rule := fmt.Sprintf("-A PREROUTING -s %v %s -j DROP", d.of, what)
	if d.of.Is4() {
		return firewall.Rule{Table: "raw", IPv4: rule}
	}
	return firewall.Rule{Table: "raw", IPv6: rule}
}

// halfClose makes the peer's kernel send FIN, while the peer goes on reading.
func (t *trial) halfClose() error {
	return t.step("the peer sends FIN, and goes on reading", func() error {
		if t.peer == nil {
			return t.fixture.each(func(c *sock.Conn) error { return c.Shutdown(unix.SHUT_WR) })
		}
		for _, of := range t.met {
			c, err := t.borrowPeersSocket(of)
			if err != nil {
				return err
			}
			if err := errors.Join(c.Shutdown(unix.SHUT_WR), c.Close()); err != nil {
				return err
			}
		}
		return nil
	})
}
