package firewall

import "fmt"

const natOwner Named = "the address translation"

// PortRange is the source ports that a NAT gives to flows. The zero value keeps
// the port that the client chose, where it is free.
type PortRange struct{ First, Last uint16 }

// Masquerade hides the addresses of everything that leaves by the link behind the
// firewall's own. It concerns flows that begin after it is called; those that
// exist keep their mapping as long as the firewall remembers them.
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

// MasqueradeCommands are the shell commands that do the same by hand.
func MasqueradeCommands(link string, ports PortRange) []string {
	return Commands(masquerade(link, ports)...)
}
