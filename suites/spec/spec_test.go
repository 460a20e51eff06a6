package spec

import (
	"testing"
	"time"

	"github.com/onsi/ginkgo/v2"

	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/virtual/shard"
)

func TestLabelsSayWhatASpecWaitsAndCosts(t *testing.T) {
	t.Setenv(environment.VirtualTime, "1")
	var labels []string
	for _, decorator := range append(Waits(25*time.Hour), Costs(7)) {
		some, ok := decorator.(ginkgo.Labels)
		if !ok {
			t.Fatalf("%#v is not a label: in virtual time only the seed may decide the order", decorator)
		}
		labels = append(labels, some...)
	}
	if wait, cost := shard.Estimate(labels); wait != 25*time.Hour || cost != 7 {
		t.Errorf("the labels say that it waits %v and costs %d", wait, cost)
	}
}
