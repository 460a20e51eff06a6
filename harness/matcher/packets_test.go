package matcher_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/matcher"
)

// passing returns a host that RSTs pass.
func passing(out bool, after ...time.Duration) *station {
	h := &station{named: named{name: "the client"}}
	for _, d := range after {
		reset := capture.Packet{
			At: time.Now().Add(d), Link: "to-server", Out: out, TCP: true, RST: true,
			Src: netip.MustParseAddrPort("192.0.2.20:5000"), Dst: netip.MustParseAddrPort("192.0.2.10:40000"),
		}
		// Neither the other direction nor another sort counts.
		otherWay, otherSort := reset, reset
		otherWay.Out = !out
		otherSort.RST, otherSort.SYN = false, true
		h.packets = append(h.packets, reset, otherWay, otherSort)
	}
	return h
}

func TestPacketsMustArriveInTheirWindow(t *testing.T) {
	for _, c := range []struct {
		what    string
		after   []time.Duration
		count   int
		matches bool
		text    string
	}{
		{"early", []time.Duration{199 * ms}, 1, false, "Expected the client to have received 1 × RST\n  between 200ms and 300ms after the instant given;\n1 had come after 199ms\n  in  to-server: 192.0.2.20:5000 > 192.0.2.10:40000 RST seq 0 win 0 length 0, after 199ms: too early\n[timeline: ]"},
		{"first", []time.Duration{200 * ms}, 1, true, "Expected the client not to have received 1 × RST\n  between 200ms and 300ms after the instant given;\n1 had come after 200ms\n  in  to-server: 192.0.2.20:5000 > 192.0.2.10:40000 RST seq 0 win 0 length 0, after 200ms: in time\n[timeline: ]"},
		{"last", []time.Duration{300 * ms}, 1, true, "Expected the client not to have received 1 × RST\n  between 200ms and 300ms after the instant given;\n1 had come after 300ms\n  in  to-server: 192.0.2.20:5000 > 192.0.2.10:40000 RST seq 0 win 0 length 0, after 300ms: in time\n[timeline: ]"},
		{"late", []time.Duration{300*ms + 1}, 1, false, "Expected the client to have received 1 × RST\n  between 200ms and 300ms after the instant given;\n1 had come after 300.000001ms\n  in  to-server: 192.0.2.20:5000 > 192.0.2.10:40000 RST seq 0 win 0 length 0, after 300.000001ms: too late\n[timeline: ]"},
		// It is the last one that completes the number.
		{"the second of two in time", []time.Duration{100 * ms, 300 * ms}, 2, true, "Expected the client not to have received 2 × RST\n  between 200ms and 300ms after the instant given;\n2 had come after 300ms\n  in  to-server: 192.0.2.20:5000 > 192.0.2.10:40000 RST seq 0 win 0 length 0, after 100ms: too early\n  in  to-server: 192.0.2.20:5000 > 192.0.2.10:40000 RST seq 0 win 0 length 0, after 300ms: in time\n[timeline: ]"},
		{"the second of two late", []time.Duration{250 * ms, 301 * ms}, 2, false, "Expected the client to have received 2 × RST\n  between 200ms and 300ms after the instant given;\n2 had come after 301ms\n  in  to-server: 192.0.2.20:5000 > 192.0.2.10:40000 RST seq 0 win 0 length 0, after 250ms: in time\n  in  to-server: 192.0.2.20:5000 > 192.0.2.10:40000 RST seq 0 win 0 length 0, after 301ms: too late\n[timeline: ]"},
		{"more than that", []time.Duration{250 * ms, 250 * ms}, 1, true, "Expected the client not to have received 1 × RST\n  between 200ms and 300ms after the instant given;\n2 had come after 250ms, of which number 1 decides\n  in  to-server: 192.0.2.20:5000 > 192.0.2.10:40000 RST seq 0 win 0 length 0, after 250ms: in time\n  in  to-server: 192.0.2.20:5000 > 192.0.2.10:40000 RST seq 0 win 0 length 0, after 250ms: in time\n[timeline: ]"},
		{"the first of two early", []time.Duration{100 * ms, 100 * ms}, 1, false, "Expected the client to have received 1 × RST\n  between 200ms and 300ms after the instant given;\n2 had come after 100ms, of which number 1 decides\n  in  to-server: 192.0.2.20:5000 > 192.0.2.10:40000 RST seq 0 win 0 length 0, after 100ms: too early\n  in  to-server: 192.0.2.20:5000 > 192.0.2.10:40000 RST seq 0 win 0 length 0, after 100ms: too early\n[timeline: ]"},
		{"one too few", []time.Duration{250 * ms}, 2, false, "Expected the client to have received 2 × RST\n  between 200ms and 300ms after the instant given;\nonly 1 had come when the matcher stopped waiting, after 800ms\n  in  to-server: 192.0.2.20:5000 > 192.0.2.10:40000 RST seq 0 win 0 length 0, after 250ms: in time\n[timeline: ]"},
		{"none", nil, 1, false, "Expected the client to have received 1 × RST\n  between 200ms and 300ms after the instant given;\nthere was none when the matcher stopped waiting, after 800ms\n[timeline: ]"},
	} {
		t.Run(c.what, func(t *testing.T) {
			clock(t, func(t *testing.T) {
				says(t, matcher.HaveReceived(c.count, capture.RST, window()), passing(false, c.after...), c.matches, c.text)
			})
		})
	}
}

func TestHaveSentLooksAtWhatTheHostSends(t *testing.T) {
	clock(t, func(t *testing.T) {
		says(t, matcher.HaveSent(1, capture.RST, matcher.Within(s)), passing(true, 250*ms), true,
			"Expected the client not to have sent 1 × RST\n  within 1s from now;\n1 had come after 250ms\n  out to-server: 192.0.2.20:5000 > 192.0.2.10:40000 RST seq 0 win 0 length 0, after 250ms: in time\n[timeline: ]")
	})
	clock(t, func(t *testing.T) {
		says(t, matcher.HaveSent(2, capture.RST, matcher.Within(s)), passing(true, 250*ms), false,
			"Expected the client to have sent 2 × RST\n  within 1s from now;\nonly 1 had come when the matcher stopped waiting, after 1.5s\n  out to-server: 192.0.2.20:5000 > 192.0.2.10:40000 RST seq 0 win 0 length 0, after 250ms: in time\n[timeline: ]")
	})
}

// The process did not run until the window was over and another packet had come.
func TestAPacketInTimeIsInTimeWheneverOneLooks(t *testing.T) {
	clock(t, func(t *testing.T) {
		host, when := passing(false, 250*ms, 301*ms), window()
		time.Sleep(400 * ms)
		says(t, matcher.HaveReceived(1, capture.RST, when), host, true,
			"Expected the client not to have received 1 × RST\n  between 200ms and 300ms after the instant given;\n2 had come after 400ms, of which number 1 decides\n  in  to-server: 192.0.2.20:5000 > 192.0.2.10:40000 RST seq 0 win 0 length 0, after 250ms: in time\n  in  to-server: 192.0.2.20:5000 > 192.0.2.10:40000 RST seq 0 win 0 length 0, after 301ms: too late\n[timeline: ]")
	})
}

func TestNoPacketAtAllCannotBeWaitedFor(t *testing.T) {
	const text = "this matcher waits for at least one packet, but was asked for 0: to exclude any, use Expect(….Received(match)).To(BeEmpty())"
	clock(t, func(t *testing.T) {
		refuses(t, matcher.HaveReceived(0, capture.RST, matcher.Within(s)), passing(false), text)
	})
}

func TestWhatHasNoPacketsIsRefused(t *testing.T) {
	const text = "this matcher counts the packets of a host (a harness.Host), but was given a *matcher_test.connection"
	clock(t, func(t *testing.T) {
		refuses(t, matcher.HaveReceived(1, capture.RST, matcher.Within(s)), client(), text)
		refuses(t, matcher.HaveSent(1, capture.RST, matcher.Within(s)), client(), text)
	})
}
