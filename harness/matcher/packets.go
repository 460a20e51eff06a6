package matcher

import (
	"fmt"
	"time"

	"github.com/onsi/gomega/types"

	"github.com/halfopen-lab/halfopen/harness/capture"
)

// Station is a host whose packets are captured: harness.Host. Its methods wait until count
// packets match, at the latest until an instant, and return all that do.
type Station interface {
	AwaitSent(count int, match capture.Match, until time.Time) []capture.Packet
	AwaitReceived(count int, match capture.Match, until time.Time) []capture.Packet
}

// HaveReceived succeeds when at least count matching packets have arrived at the host, and
// number count in time; count is at least 1:
//
//	Expect(lab.Client).To(HaveReceived(1, capture.RST, Within(time.Second)))
//
// More packets may come: how many do before the matcher looks depends on when it gets a
// processor. To exclude others, count them at the end of the spec:
//
//	Expect(lab.Client.Received(capture.RST)).To(HaveLen(1))
func HaveReceived(count int, match capture.Match, when Deadline) types.GomegaMatcher {
	return &havePackets{verb: "have received", count: count, match: match, when: when,
		await: Station.AwaitReceived}
}

// HaveSent succeeds when the host has sent at least count matching packets, and number count in
// time; see HaveReceived.
func HaveSent(count int, match capture.Match, when Deadline) types.GomegaMatcher {
	return &havePackets{verb: "have sent", count: count, match: match, when: when,
		await: Station.AwaitSent}
}

type havePackets struct {
	verb  string
	count int
	match capture.Match
	when  Deadline
	await func(s Station, count int, match capture.Match, until time.Time) []capture.Packet
	got   []capture.Packet
	ended time.Time // when the wait ended
}

// Match implements types.GomegaMatcher.
func (m *havePackets) Match(actual any) (bool, error) {
	s, ok := actual.(Station)
	if !ok {
		return false, fmt.Errorf("this matcher counts the packets of a host (a harness.Host), but was given a %T", actual)
	}
	if m.count < 1 {
		return false, fmt.Errorf("this matcher waits for at least one packet, but was asked for %d: to exclude any, use Expect(….Received(match)).To(BeEmpty())", m.count)
	}
	m.when = m.when.start()
	m.got = m.await(s, m.count, m.match, m.when.end())
	m.ended = time.Now()
	return len(m.got) >= m.count && m.when.includes(m.got[m.count-1].At), nil
}

// FailureMessage implements types.GomegaMatcher.
func (m *havePackets) FailureMessage(actual any) string { return m.message("to", actual) }

// NegatedFailureMessage implements types.GomegaMatcher.
func (m *havePackets) NegatedFailureMessage(actual any) string { return m.message("not to", actual) }

func (m *havePackets) message(to string, actual any) string {
	expected := fmt.Sprintf("Expected %s %s %s %d × %v", name(actual), to, m.verb, m.count, m.match)
	at := m.ended
	if len(m.got) >= m.count {
		at = m.got[m.count-1].At
	}
	m.when.judged(actual, expected, at)
	text := fmt.Sprintf("%s\n  %v;\n", expected, m.when)
	ended := m.when.after(m.ended)
	switch {
	case len(m.got) == 0:
		text += "there was none when the matcher stopped waiting, " + ended
	case len(m.got) < m.count:
		text += fmt.Sprintf("only %d had come when the matcher stopped waiting, %s", len(m.got), ended)
	case len(m.got) > m.count:
		text += fmt.Sprintf("%d had come %s, of which number %d decides", len(m.got), ended, m.count)
	default:
		text += fmt.Sprintf("%d had come %s", len(m.got), ended)
	}
	for _, p := range m.got {
		text += fmt.Sprintf("\n  %v, %s", p, m.when.verdict(p.At))
	}
	return text + recent(actual)
}
