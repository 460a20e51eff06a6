// Package scenarios contains the faults. Each is a value that any suite or command can apply
// to any lab whose topology has what the fault needs; mostly there is one fault in a file.
//
// A fault says in words what happens (String), makes it happen (Apply), and returns the
// shell commands that do the same by hand on a real machine (Commands). If it can be undone,
// Heal undoes it. Apply and Heal return an error if the topology lacks what the fault needs;
// the error names topologies that have it. For such a lab, Commands returns the error as a
// comment.
//
// A fault measures and asserts nothing: harness/matcher and the suites do.
package scenarios

import (
	"fmt"

	"github.com/halfopen-lab/halfopen/harness"
)

// needsFirewall returns an error if the lab has no firewall.
func needsFirewall(lab *harness.Lab) error {
	if lab.Firewall() == nil {
		return fmt.Errorf("the topology %v has no firewall: use Firewalled, NATed or ProxiedBehindFirewall", lab.Topology())
	}
	return nil
}

// needsRouter returns an error if no router is next to the client.
func needsRouter(lab *harness.Lab) error {
	if len(lab.Hosts()) < 3 || lab.Hosts()[1] == lab.ProxyHost() {
		return fmt.Errorf("the topology %v has no router next to the client: use Routed, Firewalled, NATed or ProxiedBehindFirewall", lab.Topology())
	}
	return nil
}

// lastRouter returns the last router on the client's first path, and the host behind it
// that terminates the client's connections: the server or a proxy.
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
	return nil, nil, fmt.Errorf("the topology %v has no server on its first path", lab.Topology())
}
