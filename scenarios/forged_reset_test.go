package scenarios_test

import (
	"fmt"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
)

// expects returns the sequence number that a connection expects next: after the peer's SYN
// (RFC 9293 §3.4) and a number of bytes.
func expects(t *testing.T, c *harness.Conn, bytes int) uint32 {
	t.Helper()
	first := c.Host.Received(capture.All(capture.From(c.Remote()), capture.Any(capture.SYN, capture.SYNACK)))
	if len(first) != 1 {
		t.Fatalf("%s has received %d SYNs, expected one", c.Name, len(first))
	}
	return first[0].Seq + 1 + uint32(bytes)
}

func TestAForgedResetHasTheNumberThatItsNameSays(t *testing.T) {
	t.Parallel()
	eachFamily(t, harness.Firewalled, func(t *testing.T, lab *harness.Lab) {
		client, server := lab.Connect(5000)
		write(t, server, "hello")
		expectText(t, client, "hello")
		write(t, client, "acknowledged")
		expectText(t, server, "acknowledged")
		next, from := expects(t, client, len("hello")), client.Remote()

		for i, c := range []struct {
			number scenarios.SequenceNumber
			seq    uint32
		}{{scenarios.Stale, next - 2}, {scenarios.InWindow, next + 1}, {scenarios.Exact, next}} {
			lab.Apply(scenarios.ForgedReset{To: scenarios.End(client), Number: c.number})
			if c.number == scenarios.Exact {
				awaitError(t, client, unix.ECONNRESET)
			}
			resets := lab.Client.Received(capture.All(capture.RST, capture.From(from)))
			if len(resets) != i+1 || resets[i].Seq != c.seq {
				t.Errorf("%v: the client received %v, expected the last with number %d", c.number, resets, c.seq)
			}
		}
		write(t, server, "the server was told nothing")
	})
}

// In this state the number just before the expected one resets the connection
// (net/ipv4/tcp_input.c, tcp_reset_check).
func TestAStaleResetIsIgnoredOnAHalfClosedConnectionToo(t *testing.T) {
	t.Parallel()
	eachFamily(t, harness.Firewalled, func(t *testing.T, lab *harness.Lab) {
		client, server := lab.Connect(5000)
		server.CloseWrite()
		expectText(t, client, "")
		lab.Apply(scenarios.ForgedReset{To: scenarios.End(client), Number: scenarios.Stale})
		write(t, client, "still here")
		expectText(t, server, "still here")
	})
}

// Data counts as soon as it has arrived, even if its acknowledgement is delayed, as that of
// a server that answers is (net/ipv4/tcp_output.c, tcp_event_data_sent).
func TestAForgedResetHitsBehindDataThatIsNotAcknowledgedYet(t *testing.T) {
	t.Parallel()
	eachFamily(t, harness.Firewalled, func(t *testing.T, lab *harness.Lab) {
		client, server := lab.Connect(5000)
		for range 3 {
			write(t, client, "question")
			expectText(t, server, "question")
			write(t, server, "answer")
			expectText(t, client, "answer")
		}
		write(t, client, "one more")
		expectText(t, server, "one more")
		lab.Apply(scenarios.ForgedReset{To: scenarios.End(server)})
		awaitError(t, server, unix.ECONNRESET)
	})
}

func TestAForgedResetNeedsANumberAndNoNAT(t *testing.T) {
	lab, nat := harness.New(t, harness.Firewalled, sock.IPv4), harness.New(t, harness.NATed, sock.IPv4)
	client, _ := lab.Connect(5000)
	inside, _ := nat.Connect(5000)
	expectError(t, lab, scenarios.ForgedReset{To: scenarios.End(client), Number: 7}, "there is no sequence number 7")
	expectError(t, nat, scenarios.ForgedReset{To: scenarios.End(inside)}, fmt.Sprintf("the topology %v translates addresses: use Firewalled", harness.NATed))
	expectError(t, lab, scenarios.ForgedReset{To: scenarios.End(lab.Client.NewSocket("idle"))}, "idle has not acknowledged anything, so its next sequence number is unknown")
}

// The command is nping(1), from the package nmap.
func TestTheCommandsForAForgedReset(t *testing.T) {
	lab := harness.New(t, harness.Firewalled, sock.IPv4)
	client, _ := lab.Connect(5000)
	expectCommands(t, lab, scenarios.ForgedReset{To: scenarios.End(client)}, "# on the firewall",
		fmt.Sprintf("nping --tcp --send-ip --source-ip 198.51.100.20 --source-port 5000 --dest-port %d --flags rst --seq %d --count 1 192.0.2.10",
			client.Local().Port(), expects(t, client, 0)))
}
