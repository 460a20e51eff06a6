package scenarios_test

import (
	"testing"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/scenarios"
)

func TestASilentDropTakesItsDirectionAndGivesItBack(t *testing.T) {
	t.Parallel()
	for _, topology := range []harness.Topology{harness.Direct, harness.Firewalled} {
		for _, direction := range []scenarios.Direction{scenarios.BothWays, scenarios.TowardsServer, scenarios.TowardsClient} {
			t.Run(topology.String()+" "+direction.String(), func(t *testing.T) {
				t.Parallel()
				eachFamily(t, topology, func(t *testing.T, lab *harness.Lab) {
					client, server := lab.Connect(5000)
					fault := scenarios.SilentDrop{Direction: direction}

					lab.Apply(fault)
					write(t, client, "request")
					awaitRetransmission(t, client)
					// If only the direction towards the client is dropped, the request
					// arrives and the answer does not.
					if direction == scenarios.TowardsClient {
						expectText(t, server, "request")
					} else {
						expectNothing(t, server)
					}
					if n := len(lab.Client.Received(anyICMP)); n > 0 {
						t.Errorf("the drop is not silent: the client received %d ICMP messages\n%s", n, lab.Recent())
					}

					lab.Heal(fault)
					if direction != scenarios.TowardsClient {
						expectText(t, server, "request")
					}
					write(t, server, "answer")
					expectText(t, client, "answer")
				})
			})
		}
	}
}
