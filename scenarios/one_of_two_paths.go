package scenarios

import "github.com/halfopen-lab/halfopen/harness"

// OneOfTwoPaths is a host with two paths to its peer, of which the first drops everything silently.
// It needs Multihomed: elsewhere the first path is the only one.
type OneOfTwoPaths struct{}

// String implements harness.Fault.
func (f OneOfTwoPaths) String() string {
	return "packets on the first of two paths are dropped silently"
}

// Apply implements harness.Fault.
func (f OneOfTwoPaths) Apply(lab *harness.Lab) error {
	if _, err := SecondPath.of(lab); err != nil {
		return err
	}
	return SilentDrop{}.Apply(lab)
}

// Heal implements harness.Healer: it lets the packets through again.
func (f OneOfTwoPaths) Heal(lab *harness.Lab) error { return SilentDrop{}.Heal(lab) }

// Commands implements harness.Fault.
func (f OneOfTwoPaths) Commands(lab *harness.Lab) []string {
	if _, err := SecondPath.of(lab); err != nil {
		return []string{"# " + err.Error()}
	}
	return SilentDrop{}.Commands(lab)
}
