package scenarios

import (
	"fmt"

	"github.com/halfopen-lab/halfopen/harness"
)

// RouteDisabled makes the proxy close the connections and the listener of one route. It needs
// a proxy: Proxied or ProxiedBehindFirewall.
type RouteDisabled struct {
	Port uint16 // the server's port to which the route leads
}

// String implements harness.Fault.
func (f RouteDisabled) String() string { return "the proxy's route is disabled" }

// Apply implements harness.Fault.
func (f RouteDisabled) Apply(lab *harness.Lab) error {
	if err := needsProxy(lab); err != nil {
		return err
	}
	return lab.Route(f.Port).Disable()
}

// Heal implements harness.Healer: it makes the proxy listen again.
func (f RouteDisabled) Heal(lab *harness.Lab) error {
	if err := needsProxy(lab); err != nil {
		return err
	}
	return lab.Route(f.Port).Enable()
}

// Commands implements harness.Fault.
func (f RouteDisabled) Commands(*harness.Lab) []string {
	return []string{"# on the proxy", fmt.Sprintf("toxiproxy-cli toggle port-%d", f.Port)}
}

// ProxyKilled kills toxiproxy with SIGKILL; the kernel closes its connections. It needs a
// proxy: Proxied or ProxiedBehindFirewall.
type ProxyKilled struct{}

// String implements harness.Fault.
func (f ProxyKilled) String() string { return "the proxy is killed (SIGKILL)" }

// Apply implements harness.Fault.
func (f ProxyKilled) Apply(lab *harness.Lab) error {
	if err := needsProxy(lab); err != nil {
		return err
	}
	return lab.Proxy().Kill()
}

// Commands implements harness.Fault.
func (f ProxyKilled) Commands(*harness.Lab) []string {
	return []string{"# on the proxy", "kill -KILL $(pidof toxiproxy-server)"}
}
