package firewall

import "fmt"

const natOwner Named = "the address translation"

// PortRange is the source ports that a NAT gives to flows. The zero value keeps the
// client's port if it is free.
type PortRange struct{ First, Last uint16 }

// Masquerade replaces the source addresses of TCP flows that leave by a link with the
// firewall's own. It applies to flows that begin after the call; older ones keep their
// mapping while the firewall remembers them.
func (f *Firewall) Masquerade(link string, ports PortRange) error {
	return f.Set(natOwner, masquerade(link, ports)...)
}

func masquerade(link string, ports PortRange) []Rule {
	spec := fmt.Sprintf("-A POSTROUTING -o %s -p tcp -j MASQUERADE", link)
	if ports != (PortRange{}) {
		spec += fmt.Sprintf(" --to-ports %d-%d", ports.First, ports.Last)
	}
	return []Rule{{Table: "nat", IPv4: spec, IPv6: spec}}
}

// MasqueradeCommands returns the shell commands that do by hand what Masquerade does.
func MasqueradeCommands(link string, ports PortRange) []string {
	return Commands(masquerade(link, ports)...)
}
