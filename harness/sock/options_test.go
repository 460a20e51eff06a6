package sock_test

import (
	"errors"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/sock"
)

// The limits are those of include/net/tcp.h: MAX_TCP_KEEPIDLE, MAX_TCP_KEEPINTVL, MAX_TCP_KEEPCNT.
func TestKeepaliveTakesWhatTheKernelTakes(t *testing.T) {
	client, server := newMachine(t).pair(t, loopback4)
	const s, ms, most, beyond = time.Second, time.Millisecond, 32767 * time.Second, 1 << 32
	for _, c := range [][3]time.Duration{{most + s, s, 1}, {s, most + s, 1}, {s, s, 128}, {-s, 0, 0}, {0, 0, -1}, {1500 * ms, 0, 0}, {0, ms, 0}, {-ms, 0, 0}, {0, -ms, 0},
		// A kernel's int holds 32 bits: these would be 5 s, 5 s and 5.
		{beyond*s + 5*s, 0, 0}, {0, beyond*s + 5*s, 0}, {0, 0, beyond + 5}} {
		err := client.SetKeepalive(c[0], c[1], int(c[2]))
		if on, _ := client.Option(unix.SOL_SOCKET, unix.SO_KEEPALIVE); !errors.Is(err, unix.EINVAL) || on != 0 {
			t.Errorf("SetKeepalive(%v, %v, %d): %v, and SO_KEEPALIVE is %d, expected EINVAL and 0", c[0], c[1], c[2], err, on)
		}
	}
	must(t, client.SetKeepalive(most, 2*s, 127))
	must(t, server.SetKeepalive(0, 3*s, 0)) // the rest is the system's: 7200 s and 9 (tcp(7))
	for c, want := range map[*sock.Conn][4]int{client: {32767, 2, 127, 1}, server: {7200, 3, 9, 1}} {
		var got [4]int
		for i, o := range [][2]int{{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE}, {unix.IPPROTO_TCP, unix.TCP_KEEPINTVL}, {unix.IPPROTO_TCP, unix.TCP_KEEPCNT}, {unix.SOL_SOCKET, unix.SO_KEEPALIVE}} {
			got[i], _ = c.Option(o[0], o[1])
		}
		if got != want {
			t.Errorf("idle time, interval, count and SO_KEEPALIVE are %v, expected %v", got, want)
		}
	}
}

func TestUserTimeoutTakesWholeMilliseconds(t *testing.T) {
	client, _ := newMachine(t).pair(t, loopback4)
	must(t, client.SetUserTimeout(1500*time.Millisecond))
	const beyond = 1 << 31 * time.Millisecond // what a kernel's int holds
	for _, d := range []time.Duration{1500 * time.Microsecond, time.Microsecond, -time.Microsecond, -time.Second, beyond, 2*beyond + 5*time.Millisecond, -2*beyond + 5*time.Millisecond} {
		err := client.SetUserTimeout(d)
		if got, _ := client.Option(unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT); !errors.Is(err, unix.EINVAL) || got != 1500 {
			t.Errorf("SetUserTimeout(%v): %v, and %d ms are set, expected EINVAL and 1500 ms as before", d, err, got)
		}
	}
	must(t, client.SetUserTimeout(beyond-time.Millisecond))
	if got, _ := client.Option(unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT); got != 1<<31-1 {
		t.Errorf("after SetUserTimeout(%v) %d ms are set", beyond-time.Millisecond, got)
	}
	must(t, client.SetUserTimeout(0))
}

func TestQueuesCountBytes(t *testing.T) {
	m := newMachine(t)
	client, server := m.pair(t, loopback4)
	expect := func(c *sock.Conn, want sock.Queues, when string) {
		t.Helper()
		e := m.becomes(t, c.Local(), c.Remote(), when, func(e sock.Entry) bool { return e.Queues == want })
		if got, err := c.Queues(); err != nil || got != want {
			t.Errorf("%s: Queues are %+v, %v, expected %+v; the socket table has %v", when, got, err, want, e)
		}
	}
	send(t, client, "twelve bytes")
	expect(server, sock.Queues{Received: 12}, "12 bytes unread")
	expect(client, sock.Queues{}, "12 bytes acknowledged")
	_, err := server.Receive(make([]byte, 5))
	must(t, err)
	expect(server, sock.Queues{Received: 7}, "5 of 12 bytes read")
	must(t, m.links.Down("lo"))
	send(t, client, "nine more")
	expect(client, sock.Queues{Sent: 9}, "9 bytes unacknowledged")
}

// A FIN has a sequence number, which the peer acknowledges like a byte (RFC 9293 §3.4).
func TestAFINCountsAsAByteUntilItIsAcknowledgedOrRead(t *testing.T) {
	m := newMachine(t)
	client, server := m.pair(t, loopback4)
	expect := func(c *sock.Conn, own, table sock.Queues, when string) {
		t.Helper()
		m.becomes(t, c.Local(), c.Remote(), when, func(e sock.Entry) bool { return e.Queues == table })
		if got, err := c.Queues(); err != nil || got != own {
			t.Errorf("%s: Queues are %+v, %v, expected %+v", when, got, err, own)
		}
	}
	send(t, server, "four")
	must(t, server.Shutdown(unix.SHUT_WR))
	expect(client, sock.Queues{Received: 4}, sock.Queues{Received: 5}, "4 bytes and a FIN unread")
	receives(t, client, "four", nil)
	receives(t, client, "", nil)
	expect(client, sock.Queues{}, sock.Queues{}, "4 bytes and a FIN read")
	must(t, m.links.Down("lo"))
	send(t, client, "nine more")
	must(t, client.Shutdown(unix.SHUT_WR))
	expect(client, sock.Queues{Sent: 10}, sock.Queues{Sent: 10}, "9 bytes and a FIN unacknowledged")
}

func TestLastHeardIsWhenThePeerLastSentSomething(t *testing.T) {
	client, server := newMachine(t).pair(t, loopback4)
	for _, text := range []string{"one", "two"} {
		sent := time.Now()
		send(t, server, text)
		receives(t, client, text, nil)
		arrived := time.Now()
		for range 2 { // at once, and after 100 ms of silence
			asked := time.Now()
			got, err := client.LastHeard()
			if slack := tick + time.Since(asked); err != nil || got.Before(sent.Add(-slack)) || got.After(arrived.Add(tick)) {
				t.Errorf("%v after %q LastHeard is %v, %v, expected between %v and %v", time.Since(arrived), text, got, err, sent, arrived)
			}
			_ = client.AwaitReadable(within(t, 100*time.Millisecond))
		}
	}
}

func TestWhatIsDoneLateIsDoneAgain(t *testing.T) {
	calls := 0
	at, err := sock.AtOnce(func() error {
		if calls++; calls < 3 {
			time.Sleep(2 * time.Millisecond)
		}
		return nil
	})
	if took := time.Since(at); err != nil || calls < 3 || took > time.Second {
		t.Errorf("%d calls, %v ago, %v, expected three", calls, took, err)
	}
	calls = 0
	_, err = sock.AtOnce(func() error { calls++; time.Sleep(2 * time.Millisecond); return nil })
	if err == nil || calls != 100 {
		t.Errorf("what is always late was done %d times, and gave %v, expected 100 and an error", calls, err)
	}
	if _, err = sock.AtOnce(func() error { return unix.EINVAL }); err != unix.EINVAL {
		t.Errorf("%v, expected EINVAL", err)
	}
}
