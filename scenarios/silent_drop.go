package scenarios

import (
	"fmt"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/firewall"
)

// SilentDrop drops packets silently: no RST, no ICMP error. The host next to the client drops
// them before connection tracking sees them; if that host is the server or a proxy, the
// receiver drops them. Neighbour discovery goes on, so that nobody is told that a neighbour
// is missing. It works in every topology; Apply returns an error if the topology does not
// have the path.
type SilentDrop struct {
	Direction Direction // which packets; the zero value is both directions
	On        Path      // the zero value is the first path
}

// String implements harness.Fault.
func (f SilentDrop) String() string {
	text := fmt.Sprintf("packets %v are dropped silently", f.Direction)
	if f.On != FirstPath {
		text += " on the " + f.On.String()
	}
	return text
}

// Apply implements harness.Fault.
func (f SilentDrop) Apply(lab *harness.Lab) error {
	rules, err := f.rules(lab)
	if err != nil {
		return err
	}
	for host, rules := range rules {
		if err := host.Rules().Set(f, rules...); err != nil {
			return err
		}
	}
	return nil
}

// Heal implements harness.Healer: it lets the packets through again.
func (f SilentDrop) Heal(lab *harness.Lab) error {
	rules, err := f.rules(lab)
	if err != nil {
		return err
	}
	for host := range rules {
		if err := host.Rules().Set(f); err != nil {
			return err
		}
	}
	return nil
}

// Commands implements harness.Fault.
func (f SilentDrop) Commands(lab *harness.Lab) []string {
	all, err := f.rules(lab)
	if err != nil {
		return []string{"# " + err.Error()}
	}
	var commands []string
	for _, host := range lab.Hosts() {
		if rules := all[host]; len(rules) > 0 {
			commands = append(commands, "# on the "+host.Name())
			commands = append(commands, firewall.Commands(rules...)...)
		}
	}
	return commands
}

func (f SilentDrop) rules(lab *harness.Lab) (map[*harness.Host][]firewall.Rule, error) {
	path, err := f.On.of(lab)
	if err != nil {
		return nil, err
	}
	rules := map[*harness.Host][]firewall.Rule{}
	client, next := path.Hosts[0], path.Hosts[1]
	if f.Direction != TowardsClient {
		rules[next] = append(rules[next], dropArriving(next.LinkTo(client)))
	}
	if f.Direction != TowardsServer {
		if next == lab.Server || next == lab.ProxyHost() {
			rules[client] = append(rules[client], dropArriving(client.LinkTo(next)))
		} else {
			rules[next] = append(rules[next], dropArriving(next.LinkTo(path.Hosts[2])))
		}
	}
	return rules, nil
}

// dropArriving drops what arrives on a link, except neighbour discovery.
func dropArriving(link string) firewall.Rule {
	return firewall.Rule{
		Table: "raw",
		IPv4:  fmt.Sprintf("-A PREROUTING -i %s -j DROP", link),
		IPv6:  fmt.Sprintf("-A PREROUTING -i %s ! -p ipv6-icmp -j DROP", link),
	}
}
