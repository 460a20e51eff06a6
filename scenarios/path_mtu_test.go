package scenarios_test

import (
	"strings"
	"testing"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/scenarios"
)

// A full segment: the most data that one packet carries over IPv4 with time stamps on a link
// with an MTU of 1500 bytes.
const segment = 1448

func TestANarrowPathTellsTheClientWhichThenGetsThrough(t *testing.T) {
	t.Parallel()
	eachFamily(t, harness.Firewalled, func(t *testing.T, lab *harness.Lab) {
		client, server := lab.Connect(5000)
		full := strings.Repeat("x", segment)
		tooBig := capture.ICMP("FragmentationNeeded", "PacketTooBig")

		lab.Apply(scenarios.PathMTU{MTU: 1400})
		write(t, client, full)
		expectText(t, server, full)
		if n := len(lab.Client.Received(tooBig)); n != 1 {
			t.Errorf("the client was told %d times that its packet was too big, expected once\n%s", n, lab.Recent())
		}
	})
}

// Only the direction towards the server is narrow: what comes back fits, and is not lost
// silently.
func TestANarrowPathToTheServerPassesItsAnswers(t *testing.T) {
	t.Parallel()
	eachFamily(t, harness.Firewalled, func(t *testing.T, lab *harness.Lab) {
		client, server := lab.Connect(5000)
		full := strings.Repeat("x", segment)

		lab.Apply(scenarios.PathMTU{MTU: 1400})
		write(t, server, full)
		expectText(t, client, full)
	})
}

func TestAWidenedPathTakesFullPackets(t *testing.T) {
	t.Parallel()
	eachFamily(t, harness.Firewalled, func(t *testing.T, lab *harness.Lab) {
		fault := scenarios.PathMTU{MTU: 1400}
		lab.Apply(fault)
		lab.Heal(fault)

		client, server := lab.Connect(5000)
		full := strings.Repeat("x", segment)
		write(t, client, full)
		expectText(t, server, full)
		write(t, server, full)
		expectText(t, client, full)
		if told := lab.Client.Received(anyICMP); len(told) > 0 {
			t.Errorf("the client was told %v after the path was wide again", told)
		}
	})
}

func TestAFilteredNarrowPathSwallowsFullPacketsAndTellsNobody(t *testing.T) {
	t.Parallel()
	eachFamily(t, harness.Firewalled, func(t *testing.T, lab *harness.Lab) {
		client, server := lab.Connect(5000)
		full := strings.Repeat("x", segment)
		fault := scenarios.PathMTU{MTU: 1400, Filtered: true}

		lab.Apply(fault)
		write(t, client, "small")
		expectText(t, server, "small")
		write(t, client, full)
		awaitRetransmission(t, client)
		expectNothing(t, server)
		if told := lab.Client.Received(anyICMP); len(told) > 0 {
			t.Errorf("the client was told %v", told)
		}

		lab.Heal(fault)
		expectText(t, server, full)
	})
}
