package scenarios

import (
	"errors"
	"fmt"

	"github.com/halfopen-lab/halfopen/harness"
)

// Place is where on the path something happens.
type Place int

// The places.
const (
	ClientsEnd Place = iota
	Middle
	ServersEnd
)

// String says it in words.
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

// CableOut pulls a cable. The host at its end loses carrier; nobody else is told.
// The router's side of the cable keeps silent about packets that it can no longer
// deliver, as it does for as long as its neighbour entry lasts; NeighbourLost is
// the fault in which it speaks. A router must hold the other end of the cable, or
// both ends of the one in the middle: Routed has all three, Firewalled and NATed
// have the peers', ProxiedBehindFirewall has the client's. A proxy would lose its
// own link, and know.
type CableOut struct{ At Place }

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

// Heal puts the cable back.
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

// ends are the routers' sides of the cable. Taking a router's side down leaves
// the peer's own link up and without carrier, which is what a pulled cable is.
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
