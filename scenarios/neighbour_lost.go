package scenarios

import (
	"fmt"

	"github.com/halfopen-lab/halfopen/harness"
)

// NeighbourLost is a server, or the proxy before it, that is gone and no longer
// answers its router's ARP or neighbour solicitations: after some three seconds of
// asking the router tells the client "host unreachable". It needs a router.
type NeighbourLost struct{}

// String implements harness.Fault.
func (f NeighbourLost) String() string { return "the server does not answer its router's ARP any more" }

// Apply implements harness.Fault.
func (f NeighbourLost) Apply(lab *harness.Lab) error {
	router, end, err := lastRouter(lab)
	if err != nil {
		return err
	}
	if err := end.Links().Down(end.LinkTo(router)); err != nil {
		return err
	}
	if err := router.Links().AwaitNoCarrier(router.LinkTo(end)); err != nil {
		return err
	}
	return router.Links().ForgetNeighbours(router.LinkTo(end))
}

// Commands implements harness.Fault.
func (f NeighbourLost) Commands(lab *harness.Lab) []string {
	router, end, err := lastRouter(lab)
	if err != nil {
		return []string{"# " + err.Error()}
	}
	return []string{
		"# on the " + end.Name(),
		fmt.Sprintf("ip link set %s down", end.LinkTo(router)),
		"# on the " + router.Name(),
		fmt.Sprintf("ip neigh flush dev %s nud all", router.LinkTo(end)),
	}
}
