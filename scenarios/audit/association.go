package audit

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/box"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// association is the SCTP association of a trial, as it was seen from outside. The kernel's trace
// tells nothing of associations: what has become of it is read from the kernel's table, once a
// second, and from the packets.
type association struct {
	fixture *harness.Association  // the fixture's end; nil: the peer is a program
	entry   sock.AssociationEntry // the program's end, once the association had settled
	force   *sock.Detection       // the settings in force; nil: they are unknown
	rto     time.Duration         // the retransmission timeout of its path then
	why     error                 // why they are unknown
	gone    time.Time             // when the kernel's table did not have it any more; zero: it has it
	closed  time.Time             // when no process of the program had its socket any more; zero: one has it
	stop    context.CancelFunc    // the fixture reads no more; nil: there is none
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
	if err := t.associate(); err != nil {
		return err
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
	t.struck = time.Now()
	if t.strike != nil {
		if err := t.strike(t); err != nil {
			return err
		}
	}
	if t.then != nil {
		if err := t.wait(t.while); err != nil {
			return err
		}
		t.ended = time.Now()
		if err := t.then(t); err != nil {
			return err
		}
	}
	t.watchAssociation()
	t.over, t.cut = time.Now(), t.ctx.Err() != nil
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
	var listener *harness.Association
	if t.plan.Server.given() {
		if err := t.awaitSCTPServer(); err != nil {
			return err
		}
	} else {
		listener = t.lab.Server.NewAssociation("server", t.plan.Port)
		if err := listener.Socket.Listen(backlog); err != nil {
			return fmt.Errorf("listening on port %d of SCTP: %w", t.plan.Port, err)
		}
	}
	if t.plan.Client.given() {
		p, exit, err := t.start(answer.Client)
		if err != nil {
			return err
		}
		if err := t.awaitAssociation(p, exit); err != nil {
			return err
		}
	} else {
		client := t.lab.Client.NewAssociation("client", 0)
		client.MustConnect(t.lab.Server.AddressPort(t.plan.Port))
		t.association.fixture = client
	}
	if listener != nil {
		t.association.fixture = listener.Accept("server's end")
	}
	t.readyAfter = time.Since(began)
	return t.converse()
}

// converse lets the fixture send what the user has supplied, and read what comes.
func (t *trial) converse() error {
	f := t.association.fixture
	if f == nil {
		return nil
	}
	if t.plan.Send != "" {
		if err := f.Socket.SendMessage(0, 0, []byte(t.plan.Send)); err != nil {
			return fmt.Errorf("sending %d bytes: %w", len(t.plan.Send), err)
		}
	}
	ctx, stop := context.WithCancel(t.life)
	t.association.stop = stop
	go func() {
		buffer := make([]byte, 64<<10)
		for f.Socket.AwaitReadable(ctx) == nil {
			m, err := f.Socket.ReceiveMessage(buffer)
			switch {
			case err == unix.EAGAIN:
				continue
			case err != nil || m.Zero():
				_ = f.Socket.Close()
				return
			case t.plan.Echo:
				_ = f.Socket.SendMessage(m.Stream, m.Protocol, m.Data) // the next read has its error
			}
		}
	}()
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
	s, err := t.borrowAssociation()
	if err != nil {
		a.why = err
		return nil
	}
	defer func() { _ = s.Close() }()
	primary := a.entry.Remote[0]
	d, err := s.Detection(primary)
	if err != nil {
		a.why = fmt.Errorf("reading the options of its socket: %w", err)
		return nil
	}
	path, err := s.Path(primary)
	if err != nil {
		a.why = fmt.Errorf("reading the path of its socket: %w", err)
		return nil
	}
	a.force, a.rto = &d, path.RTO
	return nil
}

// borrowAssociation returns a second descriptor of the program's socket.
func (t *trial) borrowAssociation() (*sock.SCTP, error) {
	processes, err := box.Processes(t.program.PID())
	if err != nil {
		return nil, err
	}
	s, _, err := sock.BorrowSCTP(t.association.entry.Inode, processes)
	return s, err
}

// watchAssociation waits until the program has noticed, or the time to watch is over.
func (t *trial) watchAssociation() {
	a := &t.association
	for until := time.Now().Add(max(t.watch, t.plan.Watch)); time.Now().Before(until); {
		every := lookRarely
		if time.Since(t.struck) < 2*lookRarely {
			every = lookOften
		}
		select {
		case e := <-t.exit:
			t.exited = &e
			return
		case <-t.ctx.Done():
			return
		case <-time.After(every):
		}
		if _, there := t.findAssociation(); !there && a.gone.IsZero() {
			a.gone = time.Now()
		}
		if a.gone.IsZero() {
			continue
		}
		s, err := t.borrowAssociation()
		if err != nil {
			a.closed = time.Now()
			return
		}
		_ = s.Close()
		if len(t.failedCalls()) > 0 {
			return
		}
	}
}

// failedCalls returns the calls of the program that have failed since the fault.
func (t *trial) failedCalls() (since []moment) {
	for _, f := range t.trace.Failures(t.mark(t.plan.UnderTest)) {
		if !f.At.Before(t.struck) {
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

// abortAssociation lets the peer abort the association after a time (RFC 9260 §9.1).
func (t *trial) abortAssociation(after time.Duration) error {
	if err := t.wait(after); err != nil {
		return err
	}
	t.struck = time.Now()
	if f := t.association.fixture; f != nil {
		t.association.stop()
		return t.step("the peer aborts the association", f.Socket.Abort)
	}
	if err := t.step("the peer's socket is set to abort (SO_LINGER 0)", t.lingerNot); err != nil {
		return err
	}
	return t.killPeer()
}

// lingerNot makes the kernel abort the association of a peer that is a program once the program
// ends (socket(7), SO_LINGER).
func (t *trial) lingerNot() error {
	processes, err := box.Processes(t.peer.PID())
	if err != nil {
		return err
	}
	for _, e := range t.far.Associations() {
		s, _, err := sock.BorrowSCTP(e.Inode, processes)
		if err != nil {
			return err
		}
		if err := s.Abort(); err != nil { // closes the second descriptor alone
			return err
		}
	}
	return nil
}

// killAssociated kills the peer; its kernel ends the association for it.
func (t *trial) killAssociated() error {
	if f := t.association.fixture; f != nil {
		t.association.stop()
		return t.step("the peer's process is killed: its kernel closes its socket", f.Socket.Close)
	}
	return t.killPeer()
}

// stopAssociated stops the peer, whose kernel goes on answering.
func (t *trial) stopAssociated() error {
	if t.association.fixture != nil {
		return t.step("the peer does not read any more", func() error { t.association.stop(); return nil })
	}
	return t.stopPeer()
}

// powerOffAssociated takes the power from the peer's host.
func (t *trial) powerOffAssociated() error {
	if stop := t.association.stop; stop != nil {
		stop()
	}
	return t.powerOff()
}
