package advice

import (
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness/oracle"
)

func TestTheAdviceKeepsAFlowThatEveryPresetForgetsLater(t *testing.T) {
	if err := Settings.Validate(); err != nil {
		t.Fatal(err)
	}
	if Forgets != 240*time.Second { // Azure's load balancer, among others
		t.Errorf("the shortest timeout is %v", Forgets)
	}
	if first := oracle.Around(Settings.Probes()[0]); first.Latest >= Forgets {
		t.Errorf("the first probe comes %v, and the flow is forgotten after %v", first, Forgets)
	}
	if death := Settings.Death(); death.Latest > 6*time.Minute {
		t.Errorf("a dead peer is noticed only %v", death)
	}
}
