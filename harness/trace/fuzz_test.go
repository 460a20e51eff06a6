package trace

import (
	"net/netip"
	"testing"
)

// A program chooses its own name, which stands in every line of the trace, and whatever it
// writes to the marker.
func FuzzLine(f *testing.F) {
	for _, text := range []string{
		"          <idle>-0       [000] ..s2.    12.345678: inet_sock_set_state: family=AF_INET protocol=IPPROTO_TCP sport=5000 dport=20000 saddr=198.51.100.20 daddr=192.0.2.10 saddrv6=::ffff:198.51.100.20 daddrv6=::ffff:192.0.2.10 oldstate=TCP_ESTABLISHED newstate=TCP_CLOSE",
		" my - prog: [1]-77      [000] .....    12.500000: inet_sock_set_state: family=AF_INET6 protocol=IPPROTO_TCP sport=40000 dport=5000 daddr=x daddrv6=::1 oldstate=TCP_SYN_SENT newstate=TCP_LISTEN",
		"             box-9       [000] .....    12.550000: tracing_mark_write: trial 3",
		"            init-9       [000] .....    12.600000: sched_process_fork: comm=init pid=9 child_comm=init child_pid=9",
		"            prog-77      [000] .....    99999999999999999999.700000: sys_exit: NR 45 = -110",
		"CPU:0 [LOST 12 EVENTS]", "", "-1 [0] . 0.000000: a: ",
	} {
		f.Add(text, text)
	}
	f.Fuzz(func(t *testing.T, one, two string) {
		tr := newTrace()
		tr.Include(netip.MustParsePrefix("192.0.2.0/24"))
		tr.take(one)
		tr.take(two)
		if n := len(tr.changes) + len(tr.failures) + len(tr.marks) + len(tr.parents); n > 2 {
			t.Errorf("two lines are %d events", n)
		}
		tr.Failures("trial 3") // a process may be said to be its own ancestor
		tr.Changes(0)
	})
}
