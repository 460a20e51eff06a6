package audit

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/halfopen-lab/halfopen/fixtures/conversation"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
	"github.com/halfopen-lab/halfopen/scenarios/explore"
)

// The names of the invariants.
const (
	requestLost  = "request lost"
	askedAgain   = "asked again"
	hangs        = "hangs"
	ghostLeft    = "ghost left"
	programEnded = "program ended"
	givenUp      = "working connection given up"
)

// goals returns which of the goals are not reached: what the program did in the quiet run, and
// has not done in this one yet. The quiet run has the asker's goal alone.
func (e *exploration) goals() (missed []explore.Violation) {
	miss := func(invariant, format string, args ...any) {
		missed = append(missed, explore.Violation{Invariant: invariant, Says: fmt.Sprintf(format, args...)})
	}
	if e.asker != nil && !e.asker.finished() {
		answered, trouble := e.seen.Answered, e.seen.Trouble
		if trouble != "" {
			trouble = ": " + trouble
		}
		miss(requestLost, "the server has answered %d of the %d requests%s", answered, e.asker.wanted, trouble)
	}
	if e.quiet == nil || e.asker != nil {
		return missed
	}
	if e.gaveUp() {
		return nil
	}
	for _, text := range madeOnce(e.quiet.Requests) {
		asked, answered := false, false
		for _, r := range e.seen.Requests {
			if r.Text == text {
				asked, answered = true, answered || !r.Arrived.IsZero()
			}
		}
		switch quoted := conversation.Quote([]byte(text)); {
		case !asked:
			miss(requestLost, "the request %s has not arrived", quoted)
		case !answered:
			miss(requestLost, "the request %s arrived, and no answer to it has", quoted)
		}
	}
	switch {
	case e.quiet.Exited != nil && e.seen.Exited == nil:
		miss(hangs, "the program still runs; without a fault it ends (%s)", e.quiet.Exited.How)
	case e.quiet.Exited == nil && e.quiet.Connected > 0 && e.seen.Connected == 0:
		miss(hangs, "the program has no connection; without a fault it has %d", e.quiet.Connected)
	}
	return missed
}

// gaveUp reports whether the program under test is a client that has ended and said that it failed:
// then whoever started it knows.
func (e *exploration) gaveUp() bool {
	return e.plan.UnderTest == answer.Client && e.seen.Exited != nil && e.quiet.Exited != nil &&
		e.seen.Exited.How != succeeded && !crashed(e.seen.Exited.How)
}

// madeOnce returns the requests of the quiet run that were made once: those that can be told apart. Others
// may be heartbeats, of which a shorter connection has fewer.
func madeOnce(all []request) (texts []string) {
	count := map[string]int{}
	for _, r := range all {
		count[r.Text]++
	}
	for _, r := range all {
		if count[r.Text] == 1 {
			texts = append(texts, r.Text)
		}
	}
	return texts
}

// ghosts returns the program's sockets that have lost their peer, or cannot reach it any more.
func (e *exploration) ghosts() []string {
	if !silenced(e.blows) || e.seen.Connected == 0 {
		return e.seen.Ghosts
	}
	return append([]string{fmt.Sprintf("%d in ESTABLISHED, and the path is dead", e.seen.Connected)}, e.seen.Ghosts...)
}

// soonAgain is how long after an answer has arrived a program may not have seen it yet.
const soonAgain = 100 * time.Millisecond

// violations returns which invariants the run has broken.
func (e *exploration) violations() (all []explore.Violation) {
	add := func(invariant, format string, args ...any) {
		all = append(all, explore.Violation{Invariant: invariant, Says: fmt.Sprintf(format, args...)})
	}
	promises := e.plan.Explore
	exited := e.seen.Exited
	switch {
	case exited == nil:
	case e.plan.UnderTest == answer.Server, e.quiet.Exited == nil:
		add(programEnded, "the program has ended: %s", exited.How)
	case crashed(exited.How) && exited.How != e.quiet.Exited.How:
		add(programEnded, "the program has crashed: %s; without a fault: %s", exited.How, e.quiet.Exited.How)
	}
	if !unhealed(e.blows) && len(all) == 0 {
		for _, missed := range e.goals() {
			add(missed.Invariant, "%s, %v after the fault", missed.Says, promises.recover())
		}
	}
	if ghosts := e.ghosts(); len(ghosts) > 0 && len(all) == 0 {
		add(ghostLeft, "the program still has a socket without a peer, %v after the fault: %s", promises.notice(), ghosts[0])
	}
	if after, ok := e.gaveUpWorking(); ok {
		add(givenUp, "the program ended a connection that worked again, %v after the fault, and made another", answer.Of(after))
	}
	single := madeOnce(e.quiet.Requests)
	had := map[string]time.Time{}
	for _, r := range e.seen.Requests {
		if at, answered := had[r.Text]; answered && !r.Late && slices.Contains(single, r.Text) && r.At.Sub(at) > soonAgain {
			add(askedAgain, "the request %s was made again, %v after its answer had arrived", conversation.Quote([]byte(r.Text)), answer.Of(r.At.Sub(at)))
		}
		if !r.Arrived.IsZero() {
			had[r.Text] = r.Arrived
		}
	}
	return promises.kept(all)
}

// crashed reports whether a program has ended by a signal.
func crashed(how string) bool { return strings.HasPrefix(how, "signal:") }
