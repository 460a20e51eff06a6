package audit

import (
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/box"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/sysctl"
	"github.com/halfopen-lab/halfopen/scenarios"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// portsOfQueue is how many of a trial's ports are those of the clients in a full accept queue:
// the first ones.
const portsOfQueue = 100

// attempt takes the steps of a trial in which the client cannot connect. What becomes of its
// first attempt is the story; times count from its first SYN.
func (t *trial) attempt() error {
	if err := t.hinder(t); err != nil {
		return err
	}
	first, last := t.ports()
	if err := t.connectFrom(first+portsOfQueue, last); err != nil {
		return err
	}
	if err := t.awaitSYN(); err != nil {
		return err
	}
	t.ready = true
	t.settle()
	t.rest(t.plan.Watch)
	t.over, t.cut = time.Now(), t.ctx.Err() != nil
	if t.exited == nil {
		t.awaitExit()
	}
	if t.cut {
		return errEndedEarly
	}
	return t.trace.Drain()
}

// awaitSYN starts the client and returns when it has sent its first SYN.
func (t *trial) awaitSYN() error {
	p, exit, err := t.start(answer.Client)
	if err != nil {
		return err
	}
	first, _ := t.ports()
	first += portsOfQueue
	isSYN := capture.Where("SYN of the client", func(p capture.Packet) bool {
		return p.Out && p.SYN && p.Dst.Port() == t.plan.Port && p.Src.Port() >= first
	})
	for until := time.Now().Add(t.plan.Ready); ; {
		seen := t.near.Capture().Await(1, isSYN, earlier(until, time.Now().Add(time.Second)))
		if len(seen) > 0 {
			t.began, t.struck = seen[0].At, seen[0].At
			t.chosen = t.found.add(seen[0].Src.Port(), t.plan.Port, t.began)
			t.chosen.heard, t.met = t.began, []*connection{t.chosen}
			return nil
		}
		select {
		case e := <-exit:
			return endedTooEarly(t.plan.command(answer.Client), p, e, fmt.Sprintf("it tried to connect to port %d", t.plan.Port))
		case <-t.ctx.Done():
			return errEndedEarly
		default:
		}
		if !time.Now().Before(until) {
			return fmt.Errorf("%s did not try to connect to port %d within %v%s", t.plan.command(answer.Client), t.plan.Port, t.plan.Ready, wrote(p))
		}
	}
}

// icmpErrors returns when ICMP errors came to the host of a program that could not connect.
func (t *trial) icmpErrors() (at []time.Time) {
	if t.hinder == nil {
		return nil
	}
	for _, p := range t.near.Capture().Packets() {
		if !p.Out && strings.Contains(p.ICMP, "Unreachable") {
			at = append(at, p.At)
		}
	}
	return at
}

// shortQueue is the longest accept queue of the server whose queue is filled: its kernel allows
// no more (listen(2), net.core.somaxconn), whatever the program asks for.
const shortQueue = 16

// fillAcceptQueue starts the server, lets it accept nothing, and fills its accept queue.
func (t *trial) fillAcceptQueue() error {
	first, _ := t.ports()
	if err := t.connectFrom(first, first+portsOfQueue-1); err != nil {
		return err
	}
	if t.plan.command(answer.Server) == "" {
		listener := t.lab.Server.Listen(t.plan.Port, shortQueue)
		t.lab.Apply(scenarios.AcceptQueueFull{Listener: listener, Backlog: shortQueue})
		return nil
	}
	err := t.lab.Server.Do(func() error { return sysctl.Write("net/core/somaxconn", fmt.Sprint(shortQueue)) })
	if err != nil {
		return err
	}
	if err := t.startServer(); err != nil {
		return err
	}
	stop := func() error { return box.Signal(t.server.PID(), unix.SIGSTOP) }
	if err := t.step("the server is stopped (SIGSTOP)", stop); err != nil {
		return err
	}
	return t.step("its accept queue is filled", func() error {
		for _, l := range listenersOf(t.lab.Server).on(t.plan.Port) {
			for i := l.Queues.Received; i <= l.Queues.Sent; i++ { // one more than the backlog (sk_acceptq_is_full)
				t.lab.Client.NewSocket(fmt.Sprintf("queued client %d", i+1)).MustConnect(t.lab.Server.AddressPort(t.plan.Port))
			}
		}
		return nil
	})
}
