package audit

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/box"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// associates is the peer over SCTP where that is no program. It holds every association of the
// program, all of them alike.
type associates struct {
	listener *harness.Association // nil: it is the client
	stop     context.CancelFunc   // it accepts and reads no more; nil: it never did

	mu   sync.Mutex
	held []*harness.Association
}

// listenSCTP lets the fixture listen, and hold each association that comes.
func (t *trial) listenSCTP() error {
	listener := t.lab.Server.NewAssociation("server", t.plan.Port)
	if err := listener.Socket.Listen(backlog); err != nil {
		return err
	}
	f := &t.association.fixture
	var ctx context.Context
	ctx, f.stop = context.WithCancel(t.life)
	f.listener = listener
	go func() {
		for {
			a, err := listener.AwaitAccept(ctx, "server's end")
			if err != nil {
				return
			}
			t.holdAssociation(ctx, a)
		}
	}()
	return nil
}

// dialSCTP lets the fixture connect, and hold the association.
func (t *trial) dialSCTP(ctx context.Context) error {
	a := t.lab.Client.NewAssociation("client", 0)
	err := a.Connect(t.lab.Server.AddressPort(t.plan.Port))
	if err == unix.EINPROGRESS {
		err = a.AwaitConnected(ctx)
	}
	if err != nil {
		return errors.Join(err, a.Socket.Abort())
	}
	f := &t.association.fixture
	if f.stop != nil { // of an earlier association
		f.stop()
	}
	ctx, f.stop = context.WithCancel(t.life)
	t.holdAssociation(ctx, a)
	return nil
}

// redialSCTP lets a fixture that is the client connect again, each second until the server accepts.
func (t *trial) redialSCTP() error {
	ctx, cancel := context.WithTimeout(t.ctx, redialLimit)
	defer cancel()
	for ctx.Err() == nil {
		if t.dialSCTP(ctx) == nil {
			return nil
		}
		if err := t.wait(time.Second); err != nil {
			return err
		}
	}
	return nil // the answer says that the server serves nobody
}

// holdAssociation lets the fixture send what the user has supplied, and read what comes until the
// association is over or ctx ends.
func (t *trial) holdAssociation(ctx context.Context, a *harness.Association) {
	f := &t.association.fixture
	f.mu.Lock()
	f.held = append(f.held, a)
	f.mu.Unlock()
	if t.plan.Send != "" {
		_ = a.Socket.SendMessage(0, 0, []byte(t.plan.Send)) // the next read has its error
	}
	go func() {
		buffer := make([]byte, 64<<10)
		for a.AwaitReadable(ctx) == nil {
			m, err := a.Socket.ReceiveMessage(buffer)
			switch {
			case err == unix.EAGAIN:
				continue
			case err != nil || m.Zero():
				f.mu.Lock()
				defer f.mu.Unlock()
				f.held = slices.DeleteFunc(f.held, func(h *harness.Association) bool { return h == a })
				_ = a.Socket.Close()
				return
			case t.plan.Echo:
				_ = a.Socket.SendMessage(m.Stream, m.Protocol, m.Data) // as above
			}
		}
	}()
}

// each calls do for each association that neither side has ended.
func (f *associates) each(do func(*sock.SCTP) error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var errs []error
	for _, a := range f.held {
		errs = append(errs, do(a.Socket))
	}
	return errors.Join(errs...)
}

// stopReading lets the fixture accept and read no more.
func (f *associates) stopReading() {
	if f.stop != nil {
		f.stop()
	}
}

// end ends the fixture as the kernel ends a process that is killed: it closes its sockets.
func (f *associates) end() error {
	f.stopReading()
	var closing error
	if f.listener != nil {
		closing = f.listener.Socket.Close()
	}
	err := errors.Join(closing, f.each((*sock.SCTP).Close))
	f.mu.Lock()
	defer f.mu.Unlock()
	f.held = nil
	return err
}

// saySCTP lets the fixture send its message once more.
func (t *trial) saySCTP() error {
	return t.association.fixture.each(func(s *sock.SCTP) error { return s.SendMessage(0, 0, []byte(t.plan.Send)) })
}

// abortAssociation lets the peer abort the association after a time (RFC 9260 §9.1). A server goes
// on listening: a program that is one is started again at once, since only its end aborts.
func (t *trial) abortAssociation(after time.Duration) error {
	if err := t.wait(after); err != nil {
		return err
	}
	t.struck = time.Now()
	if t.peer == nil {
		return t.step("the peer aborts the association", func() error {
			f := &t.association.fixture
			err := f.each((*sock.SCTP).Abort)
			f.mu.Lock()
			defer f.mu.Unlock()
			f.held = nil
			return err
		})
	}
	if err := t.step("the peer's socket is set to abort (SO_LINGER 0)", t.lingerNot); err != nil {
		return err
	}
	if err := t.killPeer(); err != nil {
		return err
	}
	if t.plan.UnderTest == answer.Server {
		return nil
	}
	select { // its port is free then
	case <-t.peerExit:
	case <-time.After(exitTime):
	}
	return t.restartProcess()
}

// lingerNot makes the kernel abort the associations of a peer that is a program once the program
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
	if t.peer == nil {
		return t.step("the peer's process is killed: its kernel closes its sockets", t.association.fixture.end)
	}
	return t.killPeer()
}

// stopAssociated stops the peer, whose kernel goes on answering.
func (t *trial) stopAssociated() error {
	if t.peer == nil {
		return t.step("the peer does not read any more", func() error { t.association.fixture.stopReading(); return nil })
	}
	return t.stopPeer()
}

// powerOffAssociated takes the power from the peer's host. A program there must not shut its
// associations down as it ends: no program can end them once it is gone, and the host could not boot.
func (t *trial) powerOffAssociated() error {
	t.association.fixture.stopReading()
	if t.peer == nil {
		return t.powerOff()
	}
	if err := t.lingerNot(); err != nil {
		return err
	}
	return t.powerOff()
}
