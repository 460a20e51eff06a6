package trace

import (
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/sock"
)

// Lines as trace_pipe of Linux 6.1 prints them.
func TestTraceEventsAreRead(t *testing.T) {
	tr := newTrace()
	tr.Include(netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("2001:db8:1::/64"))
	for _, text := range []string{
		"          <idle>-0       [000] ..s2.    12.345678: inet_sock_set_state: family=AF_INET protocol=IPPROTO_TCP sport=5000 dport=20000 saddr=198.51.100.20 daddr=192.0.2.10 saddrv6=::ffff:198.51.100.20 daddrv6=::ffff:192.0.2.10 oldstate=TCP_ESTABLISHED newstate=TCP_CLOSE",
		" my - prog: [1]-77      [000] .....    12.500000: inet_sock_set_state: family=AF_INET6 protocol=IPPROTO_TCP sport=40000 dport=5000 saddr=192.0.2.10 daddr=198.51.100.20 saddrv6=::ffff:192.0.2.10 daddrv6=::ffff:198.51.100.20 oldstate=TCP_SYN_SENT newstate=TCP_ESTABLISHED",
		"          <idle>-0       [000] ..s2.    12.345679: inet_sock_set_state: family=AF_INET protocol=IPPROTO_TCP sport=5000 dport=20000 saddr=10.0.0.1 daddr=10.0.0.2 saddrv6=::ffff:10.0.0.1 daddrv6=::ffff:10.0.0.2 oldstate=TCP_ESTABLISHED newstate=TCP_CLOSE_WAIT",
		"          <idle>-0       [000] ..s2.    12.400000: inet_sock_set_state: family=AF_INET6 protocol=IPPROTO_TCP sport=5000 dport=30000 saddr=0.0.0.0 daddr=0.0.0.0 saddrv6=2001:db8:2::20 daddrv6=2001:db8:1::10 oldstate=TCP_ESTABLISHED newstate=TCP_CLOSE_WAIT",
		"             box-9       [000] .....    12.550000: tracing_mark_write: trial 3",
		"            init-9       [000] .....    12.600000: sched_process_fork: comm=init pid=9 child_comm=init child_pid=77",
		"            prog-77      [000] .....    12.700000: sys_exit: NR 45 = -110",
		"            else-78      [000] .....    12.800000: sys_exit: NR 45 = -104",
		"CPU:0 [LOST 12 EVENTS]",
		"            sctp-79      [000] .....    12.900000: inet_sock_set_state: family=AF_INET protocol=IPPROTO_SCTP sport=5000 dport=20000 oldstate=TCP_CLOSE newstate=TCP_LISTEN",
	} {
		tr.take(text)
	}
	got := tr.Changes(0)
	if len(got) != 3 || got[0] != (Change{At: time.Unix(12, 345678000), Local: 5000, Remote: 20000, From: sock.Established, To: sock.Closed, SoftIRQ: true}) {
		t.Errorf("the server's socket: %+v", got)
	}
	if len(got) == 3 && (got[1].Local != 40000 || got[1].Remote != 5000 || got[1].To != sock.Established || got[2].Remote != 30000 || got[2].To != sock.CloseWait) {
		t.Errorf("the client's socket and the server's over IPv6: %+v", got[1:])
	}
	if rest := tr.Changes(len(got)); len(rest) != 0 {
		t.Errorf("after the last change: %+v", rest)
	}
	if got := tr.Failures("trial 3"); len(got) != 1 || got[0].Errno != unix.ETIMEDOUT {
		t.Errorf("the calls that failed below the marked process: %+v", got)
	}
	if got := tr.Failures("trial 4"); got != nil {
		t.Errorf("the calls that failed below a process that is not there: %+v", got)
	}
}

func TestAProgramsNameForgesNoParent(t *testing.T) {
	for _, text := range []string{
		"comm=x pid=1 pid=9 child_comm=x pid=1 child_pid=77",
		"comm=child_pid=1 pid=9 child_comm=child_pid=1 child_pid=77",
		"comm=pid=1 child_c pid=9 child_comm=pid=1 child_c child_pid=77",
	} {
		if parent, child, ok := parseFork(text); parent != 9 || child != 77 || !ok {
			t.Errorf("%s: %d has made %d, %t; expected 9 and 77", text, parent, child, ok)
		}
	}
}
