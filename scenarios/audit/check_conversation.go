package audit

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// checkShort reports a conversation that is there in two ways.
func (r Request) checkShort() error {
	if (r.Conversation.Says() || r.Conversation.Like != "") && (r.Send != "" || r.Echo) {
		return errors.New("send and echo are short for a conversation, and there is one: leave out the one or the other (--send, --echo; --conversation)")
	}
	return nil
}

// shortestPeriod is the shortest time between two requests of a fixture that are repeated.
const shortestPeriod = 100 * time.Millisecond

// checkConversation reports, in one line, a conversation that cannot be held.
func (r Request) checkConversation() error {
	c, err := r.Conversation.For(r.fixtureRole())
	switch {
	case err != nil:
		return fmt.Errorf("%w (--conversation)", err)
	case r.betweenPrograms() && c.TLS:
		return errors.New("TLS is the fixture's, and both sides are programs: leave it out (--tls)")
	case r.betweenPrograms() && c.Says() && r.Send == "" && !r.Echo:
		return errors.New("a conversation is the fixture's, and both sides are programs: leave it out (--conversation)")
	case c.Every > 0 && c.Every < shortestPeriod:
		return fmt.Errorf("the time between two requests, %v, must be at least %v: the fixture would flood the program (--every)", c.Every, shortestPeriod)
	case c.Every > 0 && len(c.Request) == 0:
		return errors.New("there is no request that the fixture could repeat (--every)")
	}
	if !r.Conversation.TLS {
		for placeholder := range certificateFiles {
			if strings.Contains(r.command(r.UnderTest), placeholder) {
				return fmt.Errorf("there is no %s: the fixture speaks no TLS (--tls, or tls in the conversation)", placeholder)
			}
		}
	}
	return nil
}
