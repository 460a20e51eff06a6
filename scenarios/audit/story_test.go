package audit

import (
	"strconv"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/harness/trace"
)

func seconds(s float64) string { return strconv.FormatFloat(s, 'f', -1, 64) }

func TestWhoKnewWhat(t *testing.T) {
	established := trace.Change{At: at(0), From: sock.SynReceived, To: sock.Established, SoftIRQ: true}
	died := trace.Change{At: at(100), From: sock.Established, To: sock.Closed, SoftIRQ: true}
	rst := func(second float64, out bool) capture.Packet {
		return capture.Packet{At: at(second), TCP: true, RST: true, Out: out}
	}
	for _, c := range []struct {
		name            string
		story           story
		kernel, program string // what, and at which second; empty: nothing
	}{
		{"nothing", story{changes: []trace.Change{established}}, "", ""},
		{"keepalive ends it, and a read says so",
			story{changes: []trace.Change{established, died}, packets: []capture.Packet{rst(100, true)}, failures: []trace.Failure{{At: at(100.001), Errno: unix.ETIMEDOUT}}},
			"ETIMEDOUT 100", "ETIMEDOUT 100.001"},
		{"keepalive ends it, and the program does not look", story{changes: []trace.Change{established, died}}, "ETIMEDOUT 100", ""},
		{"keepalive ends it, and the program closes without a read", story{changes: []trace.Change{established, died}, gone: at(103)}, "ETIMEDOUT 100", "closes 103"},
		{"a call that failed before is not about it", story{changes: []trace.Change{established, died}, failures: []trace.Failure{{At: at(50), Errno: unix.EPIPE}}}, "ETIMEDOUT 100", ""},
		{"an RST comes", story{changes: []trace.Change{established, died}, packets: []capture.Packet{rst(100, false)}}, "RST 100", ""},
		{"an RST comes while the program is in a call",
			story{changes: []trace.Change{established, {At: at(100), From: sock.Established, To: sock.Closed}}, packets: []capture.Packet{rst(99.999, false)}}, "RST 100", ""},
		{"FIN comes, and the program closes",
			story{changes: []trace.Change{established, {At: at(10), From: sock.Established, To: sock.CloseWait, SoftIRQ: true}, {At: at(12), From: sock.CloseWait, To: sock.LastAck}}, gone: at(12.1)},
			"FIN 10", "closes 12"},
		{"FIN comes, and the program leaves it", story{changes: []trace.Change{established, {At: at(10), From: sock.Established, To: sock.CloseWait}}}, "FIN 10", ""},
		{"the program closes by itself",
			story{changes: []trace.Change{established, {At: at(75), From: sock.Established, To: sock.FinWait1}, {At: at(75.1), From: sock.FinWait1, To: sock.FinWait2, SoftIRQ: true}, {At: at(135), From: sock.FinWait2, To: sock.Closed, SoftIRQ: true}}, gone: at(135)},
			"", "closes 75"},
		{"the program aborts", story{changes: []trace.Change{established, {At: at(30), From: sock.Established, To: sock.Closed}}, packets: []capture.Packet{rst(30, true)}}, "", "aborts (RST) 30"},
	} {
		say := func(m moment, ok bool) string {
			if !ok {
				return ""
			}
			return m.what + " " + seconds(m.at.Sub(start).Seconds())
		}
		if got := say(c.story.kernel()); got != c.kernel {
			t.Errorf("%s: the kernel: %q, expected %q", c.name, got, c.kernel)
		}
		if got := say(c.story.program()); got != c.program {
			t.Errorf("%s: the program: %q, expected %q", c.name, got, c.program)
		}
	}
}
