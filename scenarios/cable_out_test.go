package scenarios_test

import (
	"testing"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/scenarios"
)

// anyICMP matches the errors that report trouble on the path; neighbour discovery is not
// among them.
var anyICMP = capture.ICMP("Unreachable", "TimeExceeded", "PacketTooBig")

func TestAPulledCablePassesNothingUntilItIsBack(t *testing.T) {
	t.Parallel()
	for place, carriers := range map[scenarios.Place][2]bool{ // of the client, of the server
		scenarios.ClientsEnd: {false, true},
		scenarios.Middle:     {true, true},
		scenarios.ServersEnd: {true, false},
	} {
		t.Run(place.String(), func(t *testing.T) {
			t.Parallel()
			eachFamily(t, harness.Routed, func(t *testing.T, lab *harness.Lab) {
				client, server := lab.Connect(5000)
				check := func(when string, wanted [2]bool) {
					t.Helper()
					got := [2]bool{lab.Client.Carrier(lab.Hosts()[1]), lab.Server.Carrier(lab.Hosts()[2])}
					if got != wanted {
						t.Errorf("%s, the client and the server have carriers: %v, expected %v", when, got, wanted)
					}
				}
				fault := scenarios.CableOut{At: place}

				lab.Apply(fault)
				check("without the cable", carriers)
				write(t, client, "request")
				awaitRetransmission(t, client)
				expectNothing(t, server)
				if n := len(lab.Client.Received(anyICMP)); n > 0 {
					t.Errorf("the client received %d ICMP errors; nobody should tell it\n%s", n, lab.Recent())
				}

				lab.Heal(fault)
				check("with the cable back", [2]bool{true, true})
				expectText(t, server, "request")
				write(t, server, "answer")
				expectText(t, client, "answer")
			})
		})
	}
}
