package harness_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

// refused is a fault that cannot happen in any lab.
type refused struct{}

func (refused) String() string                 { return "the satellite falls" }
func (refused) Apply(*harness.Lab) error       { return errors.New("the lab has no satellite") }
func (refused) Commands(*harness.Lab) []string { return nil }

func TestAFaultThatIsRefusedDoesNotStandAsAStepThatHappened(t *testing.T) {
	var lab *harness.Lab
	s := run("a fault that is refused", func(s *spec) {
		lab = harness.New(s, harness.Direct, sock.IPv4)
		lab.Apply(refused{})
	})
	if line, _, _ := strings.Cut(s.fatal, "\n"); line != "the satellite falls: the lab has no satellite" {
		t.Errorf("the spec fails with %q", line)
	}
	var told []string
	for _, e := range lab.Timeline().Events() {
		if strings.Contains(e.What, "satellite") {
			told = append(told, e.What)
		}
	}
	if len(told) != 1 || told[0] != "FAILED: the satellite falls: the lab has no satellite" {
		t.Errorf("the timeline tells of it as %q, expected one line that says it failed", told)
	}
}
