package measuring

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

func TestWhoKnewWhat(t *testing.T) {
	established := change{at: at(0), from: sock.SynReceived, to: sock.Established, softirq: true}
	died := change{at: at(100), from: sock.Established, to: sock.Closed, softirq: true}
	rst := func(second float64, out bool) capture.Packet {
		return capture.Packet{At: at(second), TCP: true, RST: true, Out: out}
	}
	for _, c := range []struct {
		name            string
		story           story
		kernel, program string // what, and at which second; empty: nothing
	}{
		{"nothing", story{changes: []change{established}}, "", ""},
		{"keepalive ends it, and a read says so",
			story{changes: []change{established, died}, packets: []capture.Packet{rst(100, true)}, failures: []failure{{at: at(100.001), errno: unix.ETIMEDOUT}}},
			"ETIMEDOUT 100", "ETIMEDOUT 100.001"},
		{"keepalive ends it, and the program does not look", story{changes: []change{established, died}}, "ETIMEDOUT 100", ""},
		{"keepalive ends it, and the program closes without a read", story{changes: []change{established, died}, gone: at(103)}, "ETIMEDOUT 100", "closes 103"},
		{"a call that failed before is not about it", story{changes: []change{established, died}, failures: []failure{{at: at(50), errno: unix.EPIPE}}}, "ETIMEDOUT 100", ""},
		{"an RST comes", story{changes: []change{established, died}, packets: []capture.Packet{rst(100, false)}}, "RST 100", ""},
		{"an RST comes while the program is in a call",
			story{changes: []change{established, {at: at(100), from: sock.Established, to: sock.Closed}}, packets: []capture.Packet{rst(99.999, false)}}, "RST 100", ""},
		{"FIN comes, and the program closes",
			story{changes: []change{established, {at: at(10), from: sock.Established, to: sock.CloseWait, softirq: true}, {at: at(12), from: sock.CloseWait, to: sock.LastAck}}, gone: at(12.1)},
			"FIN 10", "closes 12"},
		{"FIN comes, and the program leaves it", story{changes: []change{established, {at: at(10), from: sock.Established, to: sock.CloseWait}}}, "FIN 10", ""},
		{"the program closes by itself",
			story{changes: []change{established, {at: at(75), from: sock.Established, to: sock.FinWait1}, {at: at(75.1), from: sock.FinWait1, to: sock.FinWait2, softirq: true}, {at: at(135), from: sock.FinWait2, to: sock.Closed, softirq: true}}, gone: at(135)},
			"", "closes 75"},
		{"the program aborts", story{changes: []change{established, {at: at(30), from: sock.Established, to: sock.Closed}}, packets: []capture.Packet{rst(30, true)}}, "", "aborts (RST) 30"},
	} {
		say := func(turn turn, ok bool) string {
			if !ok {
				return ""
			}
			return turn.what + " " + seconds(turn.at.Sub(start).Seconds())
		}
		if got := say(c.story.kernel()); got != c.kernel {
			t.Errorf("%s: the kernel: %q, expected %q", c.name, got, c.kernel)
		}
		if got := say(c.story.program()); got != c.program {
			t.Errorf("%s: the program: %q, expected %q", c.name, got, c.program)
		}
	}
}
