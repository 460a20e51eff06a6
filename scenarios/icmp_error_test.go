package scenarios_test

import (
	"testing"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/scenarios"
)

func TestAnICMPErrorAnswersAndThenThePathIsBack(t *testing.T) {
	t.Parallel()
	for answer, kind := range map[scenarios.ICMP]map[string]string{
		// The names are gopacket's for RFC 792 (types 3 and 11) and RFC 4443 §3.
		scenarios.NetUnreachable:      {"IPv4": "DestinationUnreachable(Net)", "IPv6": "DestinationUnreachable(NoRouteToDst)"},
		scenarios.HostUnreachable:     {"IPv4": "DestinationUnreachable(Host)", "IPv6": "DestinationUnreachable(AddressUnreachable)"},
		scenarios.ProtocolUnreachable: {"IPv4": "DestinationUnreachable(Protocol)", "IPv6": "DestinationUnreachable(AdminProhibited)"},
		scenarios.PortUnreachable:     {"IPv4": "DestinationUnreachable(Port)", "IPv6": "DestinationUnreachable(PortUnreachable)"},
		scenarios.TimeExceeded:        {"IPv4": "TimeExceeded(TTLExceeded)", "IPv6": "TimeExceeded(HopLimitExceeded)"},
	} {
		t.Run(answer.String(), func(t *testing.T) {
			t.Parallel()
			eachFamily(t, harness.Firewalled, func(t *testing.T, lab *harness.Lab) {
				client, server := lab.Connect(5000)
				fault := scenarios.ICMPError{Answer: answer}

				lab.Apply(fault)
				write(t, client, "request")
				awaitRetransmission(t, client)
				expectNothing(t, server)
				all, these := lab.Client.Received(anyICMP), lab.Client.Received(capture.ICMP(kind[lab.Family().String()]))
				if len(these) == 0 || len(these) != len(all) {
					t.Errorf("the client received %v; expected %s and no other", all, kind[lab.Family().String()])
				}

				lab.Heal(fault)
				expectText(t, server, "request")
				write(t, server, "answer")
				expectText(t, client, "answer")
			})
		})
	}
}
