package scenarios

import (
	"fmt"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/firewall"
)

// SilentDrop discards the packets of a direction without a word: no RST, no ICMP.
// It happens on the first host behind the client, before connection tracking sees
// the packet; on the receiving host where the two are joined directly. Neighbour
// discovery goes on, so that no one is told that a neighbour is missing.
type SilentDrop struct{ Direction Direction }

// String implements harness.Fault.
func (f SilentDrop) String() string {
	return fmt.Sprintf("packets %v are dropped silently", f.Direction)
}

// Apply implements harness.Fault.
func (f SilentDrop) Apply(lab *harness.Lab) error {
	for host, rules := range f.rules(lab) {
		if err := host.Rules.Set(f.String(), rules...); err != nil {
			return err
		}
	}
	return nil
}

// Heal lets the packets through again.
func (f SilentDrop) Heal(lab *harness.Lab) error {
	for host := range f.rules(lab) {
		if err := host.Rules.Set(f.String()); err != nil {
			return err
		}
	}
	return nil
}

// Commands implements harness.Fault.
func (f SilentDrop) Commands(lab *harness.Lab) []string {
	var commands []string
	for _, host := range lab.Hosts {
		if rules := f.rules(lab)[host]; len(rules) > 0 {
			commands = append(commands, "# on the "+host.Name)
			commands = append(commands, firewall.Commands(rules...)...)
		}
	}
	return commands
}

func (f SilentDrop) rules(lab *harness.Lab) map[*harness.Host][]firewall.Rule {
	rules := map[*harness.Host][]firewall.Rule{}
	client, next := lab.Hosts[0], lab.Hosts[1]
	if f.Direction != TowardsClient {
		rules[next] = append(rules[next], dropArriving(next.LinkTo(client)))
	}
	if f.Direction != TowardsServer {
		if next == lab.Server || next == lab.ProxyHost() {
			rules[client] = append(rules[client], dropArriving(client.LinkTo(next)))
		} else {
			rules[next] = append(rules[next], dropArriving(next.LinkTo(lab.Hosts[2])))
		}
	}
	return rules
}

// dropArriving drops what arrives on a link, but neighbour discovery.
func dropArriving(link string) firewall.Rule {
	return firewall.Rule{
		Table: "raw",
		IPv4:  fmt.Sprintf("-A PREROUTING -i %s -j DROP", link),
		IPv6:  fmt.Sprintf("-A PREROUTING -i %s ! -p ipv6-icmp -j DROP", link),
	}
}
