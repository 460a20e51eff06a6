package scenarios

import (
	"fmt"

	"github.com/halfopen-lab/halfopen/harness"
)

// NeighbourLost is a router whose neighbour, the server, is gone and no longer
// answers ARP or neighbour solicitations: after some three seconds of asking the
// router tells the client "host unreachable". It needs a router before the server.
type NeighbourLost struct{}

// String implements harness.Fault.
func (f NeighbourLost) String() string { return "the server does not answer its router's ARP any more" }

// Apply implements harness.Fault.
func (f NeighbourLost) Apply(lab *harness.Lab) error {
	if err := needsRouter(lab); err != nil {
		return err
	}
	if err := lab.Server.Links.Down(lab.Server.LinkTo(f.router(lab))); err != nil {
		return err
	}
	return f.router(lab).Links.ForgetNeighbours(f.router(lab).LinkTo(lab.Server))
}

// Commands implements harness.Fault.
func (f NeighbourLost) Commands(lab *harness.Lab) []string {
	if err := needsRouter(lab); err != nil {
		return []string{"# " + err.Error()}
	}
	router := f.router(lab)
	return []string{
		"# on the server",
		fmt.Sprintf("ip link set %s down", lab.Server.LinkTo(router)),
		"# on the " + router.Name,
		fmt.Sprintf("ip neigh flush dev %s", router.LinkTo(lab.Server)),
	}
}

func (f NeighbourLost) router(lab *harness.Lab) *harness.Host { return lab.Hosts[len(lab.Hosts)-2] }
