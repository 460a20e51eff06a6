package audit

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/box"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// association is the SCTP association of a trial, as it was seen from outside. The kernel's trace
// tells nothing of associations but the calls that fail: what has become of it is read from the
// kernel's table, once a second, and from the packets.
type association struct {
	fixture   associates            // the peer where that is no program
	entry     sock.AssociationEntry // the program's end, once the association had settled
	found     inForce               // its settings
	gone      time.Time             // when the kernel's table did not have it any more; zero: it has it
	closed    time.Time             // when no process of the program had its socket any more; zero: one has it
	forgotten bool                  // the firewall did not have it at the end
	renewed   *inForce              // the settings of the association on which the program works again; nil: they were not read
}

// inForce are the settings of an association's socket.
type inForce struct {
	*sock.Detection               // nil: they are unknown
	rto             time.Duration // the retransmission timeout of its path
	err             error         // why they are unknown
}

// The kernel's table is read often just after the fault, when what a peer announces shows, and
// rarely from then on.
const (
	lookOften  = 50 * time.Millisecond
	lookRarely = time.Second
)

// takeSCTPSteps takes all steps of a trial with an association, in their order.
func (t *trial) takeSCTPSteps() error {
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
	if err := t.associate(); err != nil {
		return t.blameBeside(err, "there was an association")
	}
	t.began = time.Now()
	if err := t.wait(settleTime); err != nil {
		return err
	}
	if err := t.readAssociation(); err != nil {
		return err
	}
	t.ready = true
	t.settle()
	if t.role == quiet {
		t.watch = <-t.watching
	}
	if err := t.inflict(); err != nil {
		return err
	}
	if t.early == "" {
		t.watchAssociation()
	}
	t.over, t.cut = time.Now(), t.ctx.Err() != nil
	if t.idle > 0 {
		t.association.forgotten = !t.lab.Knows(t.lab.Client.AddressPort(t.clientPort()), t.lab.Server.AddressPort(t.plan.Port))
	}
	if t.exited == nil {
		t.awaitExit()
	}
	if t.cut && t.role != quiet {
		return errEndedEarly
	}
	return t.trace.Drain()
}

// associate starts the programs, and returns when they have an association.
func (t *trial) associate() error {
	began := time.Now()
	if t.plan.Server.given() {
		if err := t.awaitSCTPServer(); err != nil {
			return err
		}
	} else if err := t.listenSCTP(); err != nil {
		return fmt.Errorf("listening on port %d of SCTP: %w", t.plan.Port, err)
	}
	if err := t.connectSCTP(); err != nil {
		return err
	}
	t.readyAfter = time.Since(began)
	return nil
}

// connectSCTP starts the client, and returns when it has an association.
func (t *trial) connectSCTP() error {
	if t.plan.Client.given() {
		p, exit, err := t.start(answer.Client)
		if err != nil {
			return err
		}
		return t.awaitAssociation(p, exit)
	}
	ctx, cancel := context.WithTimeout(t.ctx, t.plan.Ready)
	defer cancel()
	err := t.dialSCTP(ctx)
	switch {
	case t.ctx.Err() != nil:
		return errEndedEarly
	case err != nil:
		return fmt.Errorf("connecting to port %d of %s over SCTP: %s%s", t.plan.Port, t.plan.Server.Command, sock.ErrnoName(err), wrote(t.server))
	}
	return nil
}

// awaitSCTPServer starts the server and returns when it listens.
func (t *trial) awaitSCTPServer() error {
	p, exit, err := t.start(answer.Server)
	if err != nil {
		return err
	}
	for until := time.Now().Add(t.plan.Ready); ; {
		var ports []uint16
		err := t.lab.Server.Do(func() (err error) { ports, err = sock.ListeningSCTP(); return err })
		if err != nil || slices.Contains(ports, t.plan.Port) {
			return err
		}
		select {
		case e := <-exit:
			return endedTooEarly(t.plan.Server.Command, p, e, fmt.Sprintf("it listened on port %d of SCTP", t.plan.Port))
		case <-t.ctx.Done():
			return errEndedEarly
		case <-time.After(allListen):
			if time.Now().After(until) {
				return fmt.Errorf("%s did not listen on port %d of SCTP within %v%s", t.plan.Server.Command, t.plan.Port, t.plan.Ready, wrote(p))
			}
		}
	}
}

// awaitAssociation returns when the client's program has an association.
func (t *trial) awaitAssociation(client *harness.Program, exit <-chan box.Exit) error {
	for until := time.Now().Add(t.plan.Ready); ; {
		if _, ok := t.findAssociation(); ok {
			return nil
		}
		select {
		case e := <-exit:
			return endedTooEarly(t.plan.Client.Command, client, e, fmt.Sprintf("it had an association with port %d", t.plan.Port))
		case <-t.ctx.Done():
			return errEndedEarly
		case <-time.After(allListen):
			if time.Now().After(until) {
				return fmt.Errorf("%s had no association with port %d within %v%s", t.plan.Client.Command, t.plan.Port, t.plan.Ready, wrote(client))
			}
		}
	}
}

// findAssociation returns the established association of the program under test as its kernel has
// it.
func (t *trial) findAssociation() (sock.AssociationEntry, bool) {
	for _, e := range t.near.Associations() {
		if e.State == sock.SCTPEstablished && (t.association.entry.Inode == 0 || e.Inode == t.association.entry.Inode) {
			return e, true
		}
	}
	return sock.AssociationEntry{}, false
}

// readAssociation reads the settings in force of the association.
func (t *trial) readAssociation() error {
	a := &t.association
	var ok bool
	if a.entry, ok = t.findAssociation(); !ok {
		return fmt.Errorf("the association was over within %v%s", settleTime, wrote(t.program))
	}
	a.found = t.settingsOf(a.entry)
	return nil
}

// settingsOf reads the settings in force of an association of the program.
func (t *trial) settingsOf(e sock.AssociationEntry) inForce {
	s, err := t.borrowAssociation(e)
	if err != nil {
		return inForce{err: err}
	}
	defer func() { _ = s.Close() }()
	primary := e.Remote[0]
	d, err := s.Detection(primary)
	if err != nil {
		return inForce{err: fmt.Errorf("reading the options of its socket: %w", err)}
	}
	path, err := s.Path(primary)
	if err != nil {
		return inForce{err: fmt.Errorf("reading the path of its socket: %w", err)}
	}
	return inForce{Detection: &d, rto: path.RTO}
}

// borrowAssociation returns a second descriptor of the program's socket.
func (t *trial) borrowAssociation(e sock.AssociationEntry) (*sock.SCTP, error) {
	processes, err := box.Processes(t.program.PID())
	if err != nil {
		return nil, err
	}
	s, _, err := sock.BorrowSCTP(e.Inode, processes)
	return s, err
}

// watchAssociation waits until the program has noticed, and works again after a fault that has
// ended; or the time to watch is over.
func (t *trial) watchAssociation() {
	_ = t.lookUntil(time.Now().Add(max(t.watch, t.plan.Watch)), func(noticed bool) bool {
		return noticed && t.ended.IsZero() || !t.ended.IsZero() && t.recoveryKnown(noticed)
	})
}

// lookUntil lets the time pass until an instant, the end of the program, or until enough is known,
// and notes meanwhile what becomes of the association.
func (t *trial) lookUntil(until time.Time, enough func(noticed bool) bool) error {
	for time.Now().Before(until) && t.exited == nil {
		every := lookRarely
		if time.Since(t.struck) < 2*lookRarely {
			every = lookOften
		}
		select {
		case e := <-t.exit:
			t.exited = &e
		case <-t.ctx.Done():
			return errEndedEarly
		case <-time.After(min(every, time.Until(until))):
		}
		if enough(t.lookAtAssociation()) {
			return nil
		}
	}
	return nil
}

// last waits for as long as a fault lasts, whatever happens meanwhile.
func (t *trial) last() error {
	if t.plan.Protocol != SCTP {
		return t.wait(t.while)
	}
	until := time.Now().Add(t.while)
	if err := t.lookUntil(until, func(bool) bool { return false }); err != nil {
		return err
	}
	return t.wait(time.Until(until)) // also once the program has ended
}

// lookAtAssociation notes what the kernel's table has of the association, and reports whether the
// program has noticed that it is over.
func (t *trial) lookAtAssociation() (noticed bool) {
	a := &t.association
	if _, there := t.findAssociation(); !there && a.gone.IsZero() {
		a.gone = time.Now()
	}
	if a.gone.IsZero() {
		return false
	}
	if a.closed.IsZero() {
		s, err := t.borrowAssociation(a.entry)
		if err != nil {
			a.closed = time.Now()
			return true
		}
		_ = s.Close()
	}
	return !a.closed.IsZero() || len(t.failedCalls()) > 0
}

// failedCalls returns the calls of the program that have failed since the fault, until the watch ended.
func (t *trial) failedCalls() (since []moment) {
	for _, f := range t.trace.Failures(t.mark(t.plan.UnderTest)) {
		if !f.At.Before(t.struck) && !f.At.After(t.watchedUntil()) {
			since = append(since, moment{sock.ErrnoName(f.Errno), f.At})
		}
	}
	return since
}

// firstChunk returns when the first packet with a chunk passed the program's host after the fault.
func (t *trial) firstChunk(chunk capture.ChunkType, out bool) (at time.Time, ok bool) {
	for _, p := range t.near.Capture().Packets() {
		if p.Out == out && !p.At.Before(t.struck) && p.At.Before(t.over) && capture.SCTP(chunk).Matches(p) {
			return p.At, true
		}
	}
	return time.Time{}, false
}
