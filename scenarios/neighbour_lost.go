package scenarios

import (
	"fmt"

	"github.com/halfopen-lab/halfopen/harness"
)

// NeighbourLost makes the server, or the proxy before it, stop answering its router's ARP
// requests or neighbour solicitations. The router asks for about three seconds (arp(7),
// mcast_solicit; RFC 4861 §10) and then tells the client "host unreachable". It needs a
// router.
type NeighbourLost struct{}

// String implements harness.Fault.
func (f NeighbourLost) String() string { return "the server no longer answers its router's ARP" }

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
