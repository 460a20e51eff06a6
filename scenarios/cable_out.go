package scenarios

import (
	"errors"
	"fmt"

	"github.com/halfopen-lab/halfopen/harness"
)

// Place is a place on the path from the client to the server.
type Place int

// The places. The zero value is the client's end.
const (
	ClientsEnd Place = iota // between the client and the first router
	Middle                  // between the two routers
	ServersEnd              // between the last router and the server
)

// String returns the place in words: "at the client's end".
func (p Place) String() string {
	switch p {
	case ClientsEnd:
		return "at the client's end"
	case Middle:
		return "in the middle"
	case ServersEnd:
		return "at the server's end"
	}
	return fmt.Sprintf("at place %d", int(p))
}

// CableOut pulls a cable. The host at its end loses the carrier; nobody else is told. The
// router at the other end silently drops packets that it can no longer deliver, as a router
// does for as long as its neighbour entry is valid; in NeighbourLost it answers instead.
//
// A router must hold the other end of the cable, or both ends of the cable in the middle.
// Routed has all three cables, Firewalled and NATed have those of the client and the server,
// ProxiedBehindFirewall has the client's. A cable of a proxy cannot be pulled: the proxy
// would lose its own link and know.
type CableOut struct {
	At Place // which cable; the zero value is the client's
}

// String implements harness.Fault.
func (f CableOut) String() string { return fmt.Sprintf("the cable %v is pulled", f.At) }

// Apply implements harness.Fault.
func (f CableOut) Apply(lab *harness.Lab) error {
	ends, err := f.ends(lab)
	if err != nil {
		return err
	}
	for _, end := range ends {
		for _, prefix := range lab.Prefixes() {
			if err := end.host.Links().Blackhole(prefix); err != nil {
				return err
			}
		}
		if err := end.host.Links().Down(end.link); err != nil {
			return err
		}
	}
	return nil
}

// Heal implements harness.Healer: it plugs the cable in again, and returns when both ends
// have a carrier.
func (f CableOut) Heal(lab *harness.Lab) error {
	ends, err := f.ends(lab)
	if err != nil {
		return err
	}
	for _, end := range ends {
		if err := end.host.Links().Up(end.link); err != nil {
			return err
		}
	}
	for _, end := range ends {
		if err := errors.Join(end.host.Links().AwaitUp(end.link), end.other.Links().AwaitUp(end.other.LinkTo(end.host))); err != nil {
			return err
		}
	}
	return nil
}

// Commands implements harness.Fault.
func (f CableOut) Commands(lab *harness.Lab) []string {
	ends, err := f.ends(lab)
	if err != nil {
		return []string{"# " + err.Error()}
	}
	var commands []string
	for _, end := range ends {
		commands = append(commands, "# on the "+end.host.Name())
		for _, prefix := range lab.Prefixes() {
			commands = append(commands, fmt.Sprintf("ip route replace blackhole %v metric 4096", prefix))
		}
		commands = append(commands, fmt.Sprintf("ip link set %s down", end.link))
	}
	return commands
}

type cableEnd struct {
	host  *harness.Host // whose link goes down
	link  string
	other *harness.Host // at the other end
}

// ends returns the routers' ends of the cable. Taking a router's end down leaves the peer's
// own link up and without a carrier, as a pulled cable does.
func (f CableOut) ends(lab *harness.Lab) ([]cableEnd, error) {
	hosts := lab.Paths()[FirstPath].Hosts
	first, last := hosts[1], hosts[len(hosts)-2]
	routes := func(h *harness.Host) bool { return h != lab.Client && h != lab.Server && h != lab.ProxyHost() }
	end := func(host, other *harness.Host) cableEnd { return cableEnd{host, host.LinkTo(other), other} }
	switch f.At {
	case ClientsEnd:
		if err := needsRouter(lab); err != nil {
			return nil, err
		}
		return []cableEnd{end(first, lab.Client)}, nil
	case Middle:
		if first == last || !routes(first) || !routes(last) {
			return nil, fmt.Errorf("the topology %v has no cable between two routers: use Routed", lab.Topology())
		}
		return []cableEnd{end(first, last), end(last, first)}, nil
	case ServersEnd:
		if !routes(last) {
			return nil, fmt.Errorf("the topology %v has no router before the server: use Routed, Firewalled or NATed", lab.Topology())
		}
		return []cableEnd{end(last, lab.Server)}, nil
	}
	return nil, fmt.Errorf("the topology %v has no cable %v", lab.Topology(), f.At)
}
