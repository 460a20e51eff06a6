// Package scenarios is the faults: one a file, each a value that any suite or
// command applies to any lab whose topology has what the fault needs.
//
// A fault says in words what happens (String), makes it happen (Apply), prints
// the shell commands that do the same by hand on a real box (Commands), and,
// where nature allows it, undoes it (Heal). It measures and asserts nothing: that
// is what harness/matcher and the suites are for.
package scenarios

import (
	"fmt"

	"github.com/halfopen-lab/halfopen/harness"
)

// needsFirewall is the error of a fault that only a firewall can cause.
func needsFirewall(lab *harness.Lab) error {
	if lab.Firewall() == nil {
		return fmt.Errorf("the topology %v has no firewall: use Firewalled, NATed or ProxiedBehindFirewall", lab.Topology())
	}
	return nil
}

// needsRouter is the error of a fault that a router causes.
func needsRouter(lab *harness.Lab) error {
	if len(lab.Hosts()) < 3 || lab.Hosts()[1] == lab.ProxyHost() {
		return fmt.Errorf("the topology %v has no router behind the client: use Routed, Firewalled, NATed or ProxiedBehindFirewall", lab.Topology())
	}
	return nil
}

// lastRouter is the last router on the client's first path, and the host behind it where
// the client's connections end: the server, or a proxy.
func lastRouter(lab *harness.Lab) (router, end *harness.Host, err error) {
	if err := needsRouter(lab); err != nil {
		return nil, nil, err
	}
	hosts := lab.Paths()[FirstPath].Hosts
	for i, host := range hosts {
		if host == lab.Server || host == lab.ProxyHost() {
			return hosts[i-1], host, nil
		}
	}
	return nil, nil, fmt.Errorf("the topology %v has no end", lab.Topology())
}
