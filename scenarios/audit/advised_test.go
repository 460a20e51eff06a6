package audit

import (
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness/oracle"
)

func TestTheAdviceKeepsAFlowThatEveryPresetForgetsLater(t *testing.T) {
	settings, forgets := advisedSettings(), shortestTimeout()
	if err := settings.Validate(); err != nil {
		t.Fatal(err)
	}
	if forgets != 240*time.Second { // Azure's load balancer, among others
		t.Errorf("the shortest timeout is %v", forgets)
	}
	if first := oracle.Around(settings.Probes()[0]); first.Latest >= forgets {
		t.Errorf("the first probe comes %v, and the flow is forgotten after %v", first, forgets)
	}
	if death := settings.Death(); death.Latest > 6*time.Minute {
		t.Errorf("a dead peer is noticed only %v", death)
	}
}
