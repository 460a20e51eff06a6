package scenarios

import (
	"fmt"
	"net/netip"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/firewall"
)

// SequenceNumber is the sequence number of a forged RST, compared with the one that the
// receiver expects next (RFC 9293 §3.10.7.4).
type SequenceNumber int

// The sequence numbers. The zero value is Exact.
const (
	Exact    SequenceNumber = iota // the number that the receiver expects next: it resets the connection
	InWindow                       // one byte more: the receiver answers with a challenge ACK (RFC 5961 §3.2)
	Stale                          // two bytes less than the receiver has acknowledged: it ignores the RST
)

// String returns the sequence number in words: "a stale sequence number".
func (n SequenceNumber) String() string {
	switch n {
	case Exact:
		return "the sequence number that is expected next"
	case InWindow:
		return "a sequence number inside the window that is not the next"
	case Stale:
		return "a stale sequence number"
	}
	return fmt.Sprintf("sequence number %d", int(n))
}

// ForgedReset makes the firewall send one end of a connection an RST in the name of the
// other end, which knows nothing of it. It needs a firewall that does not translate
// addresses (Firewalled, ProxiedBehindFirewall), and a receiver that has acknowledged
// something.
type ForgedReset struct {
	To     Receiver       // must be set
	Number SequenceNumber // the zero value is Exact
}

// Receiver is the end of a TCP connection that a ForgedReset is for.
type Receiver struct {
	Name          string
	Host          *harness.Host
	Local, Remote netip.AddrPort
}

// End returns the end of a connection as a Receiver.
func End(c *harness.Conn) Receiver { return Receiver{c.Name, c.Host, c.Local(), c.Remote()} }

// String implements harness.Fault.
func (f ForgedReset) String() string {
	return fmt.Sprintf("the firewall sends %s an RST with %v", f.To.Name, f.Number)
}

// Apply implements harness.Fault.
func (f ForgedReset) Apply(lab *harness.Lab) error {
	reset, err := f.packet(lab)
	if err != nil {
		return err
	}
	return lab.Firewall().Forge(reset)
}

// Commands implements harness.Fault.
func (f ForgedReset) Commands(lab *harness.Lab) []string {
	reset, err := f.packet(lab)
	if err != nil {
		return []string{"# " + err.Error()}
	}
	return []string{"# on the firewall", nping(reset)}
}

// nping returns the command that sends an RST by hand.
func nping(reset firewall.Reset) string {
	version := ""
	if reset.To.Addr().Is6() {
		version = " -6"
	}
	return fmt.Sprintf("nping%s --tcp --send-ip --source-ip %v --source-port %d --dest-port %d --flags rst --seq %d --count 1 %v",
		version, reset.From.Addr(), reset.From.Port(), reset.To.Port(), reset.Seq, reset.To.Addr())
}

// packet returns the RST. It takes the sequence number from the packets that the receiver has
// sent and received.
func (f ForgedReset) packet(lab *harness.Lab) (reset firewall.Reset, err error) {
	if err := needsFirewall(lab); err != nil {
		return reset, err
	}
	if lab.First(harness.NAT) != nil {
		return reset, fmt.Errorf("the topology %v translates addresses: use Firewalled", lab.Topology())
	}
	self, other := f.To.Local, f.To.Remote
	acks := f.To.Host.Sent(capture.All(capture.From(self), capture.ACK))
	if len(acks) == 0 {
		return reset, fmt.Errorf("%s has not acknowledged anything, so its next sequence number is unknown", f.To.Name)
	}
	acknowledged := acks[len(acks)-1].Ack
	expected := acknowledged
	for _, p := range f.To.Host.Received(capture.All(capture.From(other), capture.Data)) {
		if next := p.Seq + uint32(p.Length); p.Dst == self && int32(next-expected) > 0 {
			expected = next // it has arrived and is not acknowledged yet
		}
	}
	reset = firewall.Reset{From: other, To: self}
	switch f.Number {
	case Exact:
		reset.Seq = expected
	case InWindow:
		reset.Seq = expected + 1
	case Stale:
		// One byte less than the receiver expects would reset a connection whose peer has
		// sent FIN (net/ipv4/tcp_input.c, tcp_reset_check).
		reset.Seq = acknowledged - 2
	default:
		return reset, fmt.Errorf("there is no %v", f.Number)
	}
	return reset, nil
}
