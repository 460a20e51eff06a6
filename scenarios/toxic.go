package scenarios

import (
	"fmt"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/proxy"
)

// Toxic is one of toxiproxy's own faults, on one route of the proxy. It needs a proxy:
// Proxied or ProxiedBehindFirewall. Apply returns an error if toxiproxy refuses the toxic.
type Toxic struct {
	Port  uint16      // the server's port to which the route leads
	Toxic proxy.Toxic // must be set
	// Live applies the toxic to the connections that exist. Without it they are closed first,
	// which is the only order that is always safe (proxy.Route.AddLive).
	Live bool
}

// String implements harness.Fault.
func (f Toxic) String() string {
	text := "toxiproxy gets the toxic " + proxy.Describe(f.Toxic)
	if f.Live {
		text += " on live connections"
	}
	return text
}

// Apply implements harness.Fault.
func (f Toxic) Apply(lab *harness.Lab) error {
	if err := needsProxy(lab); err != nil {
		return err
	}
	if f.Live {
		return lab.Route(f.Port).AddLive(f.Toxic)
	}
	return lab.Route(f.Port).Add(f.Toxic)
}

// Heal implements harness.Healer: it removes the toxic.
func (f Toxic) Heal(lab *harness.Lab) error {
	if err := needsProxy(lab); err != nil {
		return err
	}
	if f.Live {
		return lab.Route(f.Port).RemoveLive(f.Toxic)
	}
	return lab.Route(f.Port).Remove(f.Toxic)
}

// Commands implements harness.Fault.
func (f Toxic) Commands(lab *harness.Lab) []string {
	if err := needsProxy(lab); err != nil {
		return []string{"# " + err.Error()}
	}
	route := fmt.Sprintf("port-%d", f.Port)
	add := proxy.Command(route, f.Toxic)
	if f.Live {
		return []string{"# on the proxy", add}
	}
	return []string{"# on the proxy; the first line closes its connections", "toxiproxy-cli toggle " + route, add, "toxiproxy-cli toggle " + route}
}

func needsProxy(lab *harness.Lab) error {
	if lab.Proxy() == nil {
		return fmt.Errorf("the topology %v has no proxy: use Proxied or ProxiedBehindFirewall", lab.Topology())
	}
	return nil
}
