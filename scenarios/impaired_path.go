package scenarios

import (
	"fmt"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/link"
)

// ImpairedPath makes the router next to the client delay, lose, duplicate, corrupt or
// reorder the packets that it sends, or send them slowly (tc-netem(8)). It needs a router
// next to the client, and a kernel with sch_netem; without it Apply returns an error.
type ImpairedPath struct {
	Direction Direction       // which packets; the zero value is both directions
	By        link.Impairment // the zero value impairs nothing
}

// String implements harness.Fault.
func (f ImpairedPath) String() string {
	return fmt.Sprintf("packets %v are impaired: %v", f.Direction, f.By)
}

// Apply implements harness.Fault.
func (f ImpairedPath) Apply(lab *harness.Lab) error { return f.set(lab, f.By) }

// Heal implements harness.Healer: it takes the impairment away.
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

// links returns the router's links that send in the direction.
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
