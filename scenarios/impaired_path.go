package scenarios

import (
	"fmt"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/link"
)

// ImpairedPath is a path that delays, loses, doubles, corrupts or reorders packets,
// or is slow (netem): what the router behind the client sends is impaired, in one
// direction or both. It needs a router, and a kernel with sch_netem.
type ImpairedPath struct {
	Direction Direction
	By        link.Impairment
}

// String implements harness.Fault.
func (f ImpairedPath) String() string {
	return fmt.Sprintf("packets %v are impaired: %v", f.Direction, f.By)
}

// Apply implements harness.Fault.
func (f ImpairedPath) Apply(lab *harness.Lab) error { return f.set(lab, f.By) }

// Heal mends the path.
func (f ImpairedPath) Heal(lab *harness.Lab) error { return f.set(lab, link.Impairment{}) }

func (f ImpairedPath) set(lab *harness.Lab, by link.Impairment) error {
	if err := needsRouter(lab); err != nil {
		return err
	}
	router := lab.Hosts()[1]
	for _, name := range f.links(lab) {
		if err := router.Links().Impair(name, by); err != nil {
			return err
		}
	}
	return nil
}

// Commands implements harness.Fault.
func (f ImpairedPath) Commands(lab *harness.Lab) []string {
	if err := needsRouter(lab); err != nil {
		return []string{"# " + err.Error()}
	}
	commands := []string{"# on the " + lab.Hosts()[1].Name()}
	for _, name := range f.links(lab) {
		commands = append(commands, fmt.Sprintf("tc qdisc replace dev %s root netem %v", name, f.By))
	}
	return commands
}

// links are the router's links that send in the direction.
func (f ImpairedPath) links(lab *harness.Lab) []string {
	hosts := lab.Paths()[FirstPath].Hosts
	client, router, next := hosts[0], hosts[1], hosts[2]
	switch f.Direction {
	case TowardsServer:
		return []string{router.LinkTo(next)}
	case TowardsClient:
		return []string{router.LinkTo(client)}
	}
	return []string{router.LinkTo(next), router.LinkTo(client)}
}
