package link_test

import (
	"strings"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness/link"
	"github.com/halfopen-lab/halfopen/harness/netns"
)

// The error comes before anything is changed, and without asking the kernel: netem would
// refuse such an impairment without a reason, or take it for something else.
func TestAnImpairmentThatMakesNoSenseIsRefused(t *testing.T) {
	ns, err := netns.New("host")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ns.Close() }()
	links, err := link.Open(ns)
	if err != nil {
		t.Fatal(err)
	}
	defer links.Close()
	for _, c := range []struct {
		impairment link.Impairment
		expected   string
	}{
		{link.Impairment{Loss: 101}, "the loss of 101 % is not between 0 and 100"},
		{link.Impairment{Corrupt: -1}, "the corruption of -1 % is not between 0 and 100"},
		{link.Impairment{Delay: -time.Second}, "is negative"},
		{link.Impairment{Delay: time.Hour}, "is more than netem takes, 4m0s"},
		{link.Impairment{Jitter: time.Second}, "the jitter 1s needs a delay"},
		{link.Impairment{Rate: 7}, "the rate of 7 bits a second is less than netem takes"},
		{link.Impairment{Reorder: 50}, "what is not delayed cannot be overtaken"},
	} {
		err := links.Impair("lo", c.impairment)
		if err == nil || !strings.HasPrefix(err.Error(), "impairing host lo: ") || !strings.Contains(err.Error(), c.expected) {
			t.Errorf("%v: %v, expected %q", c.impairment, err, c.expected)
		}
	}
}
