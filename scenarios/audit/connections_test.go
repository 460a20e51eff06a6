package audit

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/harness/trace"
)

func TestPortsThatAreUsedAgainMakeAnotherConnection(t *testing.T) {
	change := func(second float64, from, to sock.State) trace.Change {
		return trace.Change{At: at(second), From: from, To: to}
	}
	for name, changes := range map[string][]trace.Change{
		"a client": {
			change(0, sock.Closed, sock.SynSent), change(1, sock.SynSent, sock.Established), change(2, sock.Established, sock.Closed),
			change(3, sock.Closed, sock.SynSent), change(4, sock.SynSent, sock.Closed),
			change(5, sock.Closed, sock.SynSent), change(6, sock.SynSent, sock.Established),
		},
		"a server": {
			change(0, sock.SynReceived, sock.Established), change(2, sock.Established, sock.Closed),
			change(3, sock.SynReceived, sock.Closed),
			change(5, sock.SynReceived, sock.Established),
		},
	} {
		var found connections
		for _, c := range changes {
			found.take(c)
		}
		if len(found.all) != 3 {
			t.Fatalf("%s: %d connections, expected 3", name, len(found.all))
		}
		for i, number := range []int{1, 0, 2} {
			if is := found.all[i].number; is != number {
				t.Errorf("%s: connection %d has the number %d, expected %d", name, i, is, number)
			}
		}
		if first, last := found.all[0], found.all[2]; first.open() || !last.open() || last.after != found.all[1].changes[len(found.all[1].changes)-1].At {
			t.Errorf("%s: the connections are %+v", name, found.all)
		}
	}
}

func TestAFailedCallIsThatOfTheConnectionThatExplainsIt(t *testing.T) {
	closed := trace.Change{At: at(10), From: sock.Established, To: sock.Closed, SoftIRQ: true}
	later := closed
	later.At = at(20)
	alive, timedOut, next := story{}, story{changes: []trace.Change{closed}}, story{changes: []trace.Change{later}}
	stories := []story{alive, timedOut, next}
	blame(stories, []trace.Failure{
		{At: at(5), Errno: unix.ETIMEDOUT}, // before any end
		{At: at(10.001), Errno: unix.ETIMEDOUT},
		{At: at(15), Errno: unix.ECONNRESET}, // no RST has come
		{At: at(20.001), Errno: unix.ETIMEDOUT},
	})
	for i, want := range [][]float64{nil, {10.001}, {20.001}} {
		var is []float64
		for _, f := range stories[i].failures {
			is = append(is, f.At.Sub(start).Seconds())
		}
		if len(is) != len(want) || len(is) > 0 && is[0] != want[0] {
			t.Errorf("connection %d: calls failed at %v, expected %v", i+1, is, want)
		}
	}
}
