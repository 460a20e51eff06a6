package firewall_test

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

func write(t *testing.T, from, to *harness.Conn, text string) {
	t.Helper()
	must(t, from.Write(text))
	if got, err := to.ReadAll(len(text)); got != text || err != nil {
		t.Fatalf("%s reads %q, %v; expected %q", to.Name, got, err, text)
	}
}

// expectReset waits for ECONNRESET, for which an RST needs exactly the sequence number that
// the end expects (RFC 5961 §3.2).
func expectReset(t *testing.T, c *harness.Conn) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	err := c.AwaitReadable(ctx)
	if err == nil {
		_, err = c.Receive(make([]byte, 16))
	}
	if err != unix.ECONNRESET {
		t.Errorf("%s reads: %v; expected ECONNRESET\n%s", c.Name, err, c.Recent())
	}
}

// expectRST fails the test unless a host has received one RST, with the sequence number
// after so many bytes of data from the other end.
func expectRST(t *testing.T, at *harness.Host, from netip.AddrPort, sent int) {
	t.Helper()
	// A SYN takes one sequence number (RFC 9293 §3.4).
	first := at.Received(capture.All(capture.From(from), capture.Any(capture.SYN, capture.SYNACK)))
	resets := at.Received(capture.RST)
	if len(first) != 1 || len(resets) != 1 {
		t.Fatalf("%v has received %d SYNs and %d RSTs, expected one each\n%s", at, len(first), len(resets), at.Recent())
	}
	if got, want := resets[0].Seq, first[0].Seq+1+uint32(sent); got != want || resets[0].Src != from {
		t.Errorf("%v received an RST from %v with seq %d; expected one from %v with %d: the SYN's %d, and %d bytes",
			at, resets[0].Src, got, from, want, first[0].Seq, sent)
	}
}

func TestResetBothResetsBothEndsExactly(t *testing.T) {
	for _, topology := range []harness.Topology{harness.Firewalled, harness.NATed} {
		for _, family := range []sock.Family{sock.IPv4, sock.IPv6} {
			for _, expires := range []bool{false, true} {
				t.Run(fmt.Sprintf("%v %v expires %v", topology, family, expires), func(t *testing.T) {
					t.Parallel()
					lab := harness.New(t, topology, family)
					timeout := time.Hour
					if expires {
						timeout = time.Second
					}
					must(t, lab.Firewall().IdleTimeout(timeout, firewall.ResetBoth))
					client, server := lab.Connect(5000)
					// A socket that was reset has no peer (getpeername(2)).
					asTheClientSees, asTheServerSees := client.Remote(), server.Remote()
					write(t, client, server, "hello")
					write(t, server, client, "hello world")

					if !expires {
						must(t, lab.Firewall().Forget(client.Local(), client.Remote()))
					}
					expectReset(t, client)
					expectReset(t, server)
					expectRST(t, lab.Client, asTheClientSees, len("hello world"))
					expectRST(t, lab.Server, asTheServerSees, len("hello"))
					if entries, err := lab.Firewall().Entries(); len(entries) > 0 || err != nil {
						t.Errorf("after the reset the firewall knows %v, %v", entries, err)
					}
				})
			}
		}
	}
}

// An end that delays its ACK still expects the byte after the data. Peers that answer each
// other delay their ACKs (tcp(7), TCP_QUICKACK).
func TestResetBothCountsDataThatIsNotYetAcknowledged(t *testing.T) {
	t.Parallel()
	lab := firewalled(t)
	must(t, lab.Firewall().IdleTimeout(time.Hour, firewall.ResetBoth))
	client, server := lab.Connect(5000)
	must(t, server.Socket.SetOption(unix.IPPROTO_TCP, unix.TCP_QUICKACK, 0))
	write(t, client, server, "question")
	write(t, server, client, "answer")
	write(t, client, server, "question")

	must(t, lab.Firewall().Forget(client.Local(), client.Remote()))
	expectReset(t, client)
	expectReset(t, server)
}

func TestAFlowOnPortsThatWereUsedBeforeExpiresToo(t *testing.T) {
	t.Parallel()
	lab := firewalled(t)
	must(t, lab.Firewall().IdleTimeout(time.Second, firewall.ResetBoth))
	listener := lab.Server.Listen(5000, 16)
	for round := range 2 {
		client := lab.Client.NewSocket(fmt.Sprintf("client %d", round+1))
		must(t, client.Socket.Bind(netip.AddrPortFrom(lab.Client.Address(), 40000)))
		client.MustConnect(lab.Entrance(5000))
		server := listener.Accept(fmt.Sprintf("server %d", round+1))
		expectReset(t, client)
		expectReset(t, server)
		must(t, client.Socket.Close())
	}
}

// The policy that was set last applies.
func TestALaterPolicyEndsTheWatchOfAnEarlierOne(t *testing.T) {
	t.Parallel()
	lab := firewalled(t)
	must(t, lab.Firewall().IdleTimeout(time.Second, firewall.ResetBoth))
	must(t, lab.Firewall().IdleTimeout(time.Hour, firewall.SilentDrop))
	client, server := lab.Connect(5000)
	other, _ := lab.Connect(5001)

	// The keepalive probes of another connection are the clock: with the second probe two
	// seconds have passed, and with them the timeout of the first policy.
	must(t, other.Socket.SetKeepalive(time.Second, time.Second, 9))
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	for len(lab.Client.Sent(capture.KeepaliveProbe)) < 2 {
		select {
		case <-time.After(10 * time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("the keepalive probes did not come\n%s", other.Recent())
		}
	}
	if _, ok, err := lab.Firewall().Find(client.Local(), client.Remote()); !ok || err != nil {
		t.Errorf("two seconds after the last packet, of an hour, the flow is known: %v, %v\n%s", ok, err, client.Recent())
	}
	write(t, client, server, "still there")
}
