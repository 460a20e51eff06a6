package audit

import (
	"errors"
	"os"
	"slices"

	"github.com/halfopen-lab/halfopen/fixtures/conversation"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/harness/timeline"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// fixtureRole returns the role of the fixture in a request where one side is a fixture.
func (r Request) fixtureRole() conversation.Role {
	if r.UnderTest == answer.Client {
		return conversation.Server
	}
	return conversation.Client
}

// asks reports whether a fixture can make the program have data under way: it has a request
// to say, or serves a client that asks.
func (r Request) asks() bool {
	c := r.Conversation
	return len(c.Request) > 0 || r.fixtureRole() == conversation.Server && len(c.Answers) > 0
}

// fixtureAsks reports whether the peer is a fixture that has a request to say. Another peer
// only answers, or is a program.
func (t *trial) fixtureAsks() bool { return t.peer == nil && len(t.plan.Conversation.Request) > 0 }

// session returns a conversation of the fixture on a connection, which has that port of the
// client. Its events are the trial's.
func (t *trial) session(c *sock.Conn, client uint16) *conversation.Session {
	hear := func(e conversation.Event) { t.hear(said{e, client}) }
	return conversation.New(c, t.plan.Conversation, t.plan.fixtureRole(), t.plan.tls, hear)
}

// hear keeps an event of the fixture's conversations.
func (t *trial) hear(e said) {
	if errors.Is(e.Err, os.ErrClosed) {
		return // the fault has ended it
	}
	t.fixture.mu.Lock()
	defer t.fixture.mu.Unlock()
	t.fixture.heard = append(t.fixture.heard, e)
	if e.Kind != conversation.LoggedIn || len(t.plan.Conversation.Login) > 0 {
		t.lab.Timeline().Add(timeline.Event{At: e.At, Who: t.far.Name(), Kind: timeline.Peer, What: "the fixture " + e.String()})
	}
}

// exchanges returns what has happened in the fixture's conversations; nil: the peer is no
// fixture.
func (t *trial) exchanges() []said {
	t.fixture.mu.Lock()
	defer t.fixture.mu.Unlock()
	return slices.Clone(t.fixture.heard)
}

// conversation returns what the fixture said before the fault, or on the quiet connection at
// any time, and whether the program answered; nil: it says nothing.
func (t *trial) conversation() *answer.Conversation {
	c := t.plan.Conversation
	if !c.Says() && !c.TLS || t.plan.betweenPrograms() {
		return nil
	}
	a := &answer.Conversation{Name: c.Like, TLS: c.TLS, Every: answer.Of(c.Every)}
	for _, e := range t.exchanges() {
		if t.role != quiet && !t.struck.IsZero() && e.At.After(t.struck) {
			break
		}
		switch e.Kind {
		case conversation.LoggedIn:
			a.LoggedIn = a.LoggedIn || len(c.Login) > 0
		case conversation.Admitted:
			a.LoggedIn = true
		case conversation.Answered:
			a.Answered++
		case conversation.Replied:
			a.Replied++
		case conversation.LoginFailed:
			a.Trouble = "the login: " + e.Err.Error()
		case conversation.Failed:
			a.Failed++
			if a.Trouble == "" {
				a.Trouble = e.Err.Error()
			}
		}
	}
	return a
}

// say lets the fixture say its request once more, on each of its connections. It refuses where the
// program has not answered before as it should: its connection is not what the fault is to meet.
func (t *trial) say() error {
	if t.plan.Protocol == SCTP {
		return t.saySCTP()
	}
	if c := t.conversation(); c != nil && c.Trouble != "" {
		return errors.New("the program did not answer as expected: " + c.Trouble)
	}
	var errs []error
	for _, h := range t.fixture.open() {
		errs = append(errs, h.session.Request())
	}
	return errors.Join(errs...)
}
