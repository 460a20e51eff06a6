package audit

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/halfopen-lab/halfopen/fixtures/conversation"
	"github.com/halfopen-lab/halfopen/harness"
)

const (
	// connectLimit is how long the asker waits for a connection.
	connectLimit = 10 * time.Second
	// tryAgainAfter is how long it waits after a connection has failed.
	tryAgainAfter = time.Second
	// thinkTime is how long it waits after an answer before it asks again.
	thinkTime = 100 * time.Millisecond
)

// asker is the fixture that is the client in an exploration. It asks so many requests, one after
// another on one connection, and then closes the connection. When its connection is over, or a
// request is not answered in time, it connects again and repeats the request, as a client does
// that must not lose any.
type asker struct {
	t       *exploration
	wanted  int
	resting context.CancelFunc // ends what it does; nil: it never began
	idle    chan struct{}      // closed when it does nothing any more

	mu       sync.Mutex
	answered int
	done     time.Time // when the last answer had come, and the connection was closed; zero: not yet
	trouble  string    // why the last connection failed
}

// ask lets the asker begin, or go on after it has rested. ctx ends it.
func (a *asker) ask(ctx context.Context) {
	ctx, a.resting = context.WithCancel(ctx)
	a.t.fixture.stop = a.resting
	a.idle = make(chan struct{})
	a.mu.Lock()
	if a.answered >= a.wanted { // it was killed as it closed its connection
		a.done = time.Now()
	}
	a.mu.Unlock()
	go func() {
		defer close(a.idle)
		for ctx.Err() == nil && !a.finished() {
			if err := a.connection(ctx); err != nil && ctx.Err() == nil {
				a.note(err)
				pause(ctx, tryAgainAfter)
			}
		}
	}()
}

// rest lets the asker do nothing any more, as a process does nothing that is dead. A nil asker
// rests.
func (a *asker) rest() {
	if a != nil && a.resting != nil {
		a.resting()
		<-a.idle
	}
}

// connection asks on one connection until all requests are answered, and closes it then. The
// error says why it came to nothing.
func (a *asker) connection(ctx context.Context) error {
	c := a.t.lab.Client.NewSocket("client")
	limited, cancel := context.WithTimeoutCause(ctx, connectLimit, fmt.Errorf("no connection within %v", connectLimit))
	err := connect(limited, c.Socket, a.t.lab.Server.AddressPort(a.t.plan.Port))
	cancel()
	if err != nil {
		_ = c.Socket.Close()
		return err
	}
	events := make(chan conversation.Event, 16)
	port := c.Local().Port()
	session := conversation.New(c.Socket, a.t.plan.Conversation, conversation.Client, a.t.plan.tls, func(e conversation.Event) {
		a.t.hear(said{e, port})
		events <- e
	})
	a.t.fixture.hold(held{c, session})
	talk, hush := context.WithCancel(ctx)
	over := make(chan struct{})
	go func() { defer close(over); _ = session.Run(talk) }()
	err = a.listen(ctx, session, events)
	hush()
	for waiting := true; waiting; { // its last events may still come
		select {
		case <-events:
		case <-over:
			waiting = false
		}
	}
	return a.leave(ctx, c, err)
}

// leave closes a connection, unless the asker is dead: then its kernel does.
func (a *asker) leave(ctx context.Context, c *harness.Conn, err error) error {
	if ctx.Err() != nil {
		return err
	}
	_ = c.Socket.Close() // the conversation may have closed it
	a.t.fixture.letGo(c)
	if err == nil {
		a.mu.Lock()
		a.done = time.Now()
		a.mu.Unlock()
	}
	return err
}

// listen takes the events of a conversation until all requests are answered.
func (a *asker) listen(ctx context.Context, session *conversation.Session, events <-chan conversation.Event) error {
	for {
		var e conversation.Event
		select {
		case e = <-events:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		switch e.Kind {
		case conversation.Answered:
			a.mu.Lock()
			a.answered++
			left := a.wanted - a.answered
			a.mu.Unlock()
			pause(ctx, thinkTime)
			if left <= 0 {
				return nil
			}
			if err := session.Request(); err != nil {
				return err
			}
		case conversation.Failed, conversation.LoginFailed:
			return e.Err
		case conversation.Ended:
			return fmt.Errorf("the connection %v", e)
		}
	}
}

// finished reports whether all requests are answered, and the connection is closed.
func (a *asker) finished() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return !a.done.IsZero()
}

func (a *asker) note(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.trouble = firstLine(err)
}

// told returns how many requests are answered, and what kept the asker from the next one.
func (a *asker) told() (answered int, trouble string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.answered, a.trouble
}

// pause waits for a time, or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}
