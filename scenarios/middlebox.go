package scenarios

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/halfopen-lab/halfopen/fixtures/presets"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/firewall"
)

// Middlebox makes the lab's firewall behave as a preset: its idle timeout, what follows the
// timeout, and its address translation, with the client inside. Apply it before the
// connection is made. It needs a firewall.
//
// Apply returns an error for a preset that is a proxy, which a firewall cannot play, and for
// one without an idle timeout. It does not send the RSTs of presets.StaleReset, which both
// ends ignore; ForgedReset can send them.
type Middlebox struct {
	Preset presets.Preset // must be set
}

// pickUpOutbound owns the rule that lets only hosts inside open flows.
const pickUpOutbound firewall.Named = "a middlebox that picks up outbound flows alone"

// String implements harness.Fault.
func (f Middlebox) String() string {
	return fmt.Sprintf("the firewall is %s: idle timeout %v, then %v", f.Preset.Name, f.Preset.Timeout(), f.Preset.AfterExpiry)
}

// Apply implements harness.Fault.
func (f Middlebox) Apply(lab *harness.Lab) error {
	switch {
	case f.Preset.Proxy():
		return fmt.Errorf("%s is a proxy, which a firewall cannot play: start a proxy", f.Preset.Name)
	case f.Preset.Idle == 0:
		return fmt.Errorf("%s has no idle timeout: there is nothing to play", f.Preset.Name)
	}
	if err := f.idleTimeout().Apply(lab); err != nil {
		return err
	}
	for i, path := range lab.Paths() {
		outside := path.Hosts[1].LinkTo(path.Hosts[2])
		if f.Preset.SourceNAT {
			if err := lab.Firewalls()[i].Masquerade(outside, firewall.PortRange{}); err != nil {
				return err
			}
		}
		if f.Preset.AfterExpiry == presets.PickUpOutbound {
			if err := lab.Firewalls()[i].Set(pickUpOutbound, nothingNewFrom(outside)); err != nil {
				return err
			}
		}
	}
	return nil
}

// Commands implements harness.Fault. Without a lab (nil) the commands are for a machine whose
// interface towards the server is named by the shell variable OUTSIDE. The commands for a
// proxy need no lab.
func (f Middlebox) Commands(lab *harness.Lab) []string {
	if f.Preset.Proxy() {
		return proxyCommands(f.Preset.Idle)
	}
	if lab == nil {
		commands := f.commands("$OUTSIDE")
		if slices.ContainsFunc(commands, func(line string) bool { return strings.Contains(line, "$OUTSIDE") }) {
			commands = append([]string{"OUTSIDE=eth1   # its interface towards the server"}, commands...)
		}
		return append([]string{
			"# on a Linux machine that forwards between the two",
			"modprobe nf_conntrack   # its settings follow",
		}, commands...)
	}
	if err := needsFirewall(lab); err != nil {
		return []string{"# " + err.Error()}
	}
	var commands []string
	for _, path := range lab.Paths() {
		commands = append(commands, "# on the "+path.Hosts[1].Name())
		commands = append(commands, f.commands(path.Hosts[1].LinkTo(path.Hosts[2]))...)
	}
	return commands
}

func (f Middlebox) commands(outside string) []string {
	var commands []string
	if f.Preset.SourceNAT {
		commands = append(commands, firewall.MasqueradeCommands(outside, firewall.PortRange{})...)
	}
	if f.Preset.AfterExpiry == presets.PickUpOutbound {
		commands = append(commands, firewall.Commands(nothingNewFrom(outside))...)
	}
	commands = append(commands, firewall.PolicyCommands(f.Preset.Idle, f.Preset.Policy())...)
	if f.Preset.Policy() == firewall.ResetBoth {
		commands = append(commands, noCommandResetsBoth)
	}
	return commands
}

func (f Middlebox) idleTimeout() IdleTimeout {
	return IdleTimeout{After: f.Preset.Idle, Then: f.Preset.Policy()}
}

// nothingNewFrom drops packets that arrive on a link and belong to no flow that the firewall
// knows.
func nothingNewFrom(link string) firewall.Rule {
	return firewall.Filter(fmt.Sprintf("-A FORWARD -i %s -m conntrack --ctstate NEW -j DROP", link))
}

// proxyCommands returns the commands that start a TCP proxy on port 5000 with an idle
// timeout; zero means none. nginx always has a timeout, 10 minutes by default; HAProxy has
// one only if it is set.
func proxyCommands(idle time.Duration) []string {
	commands := []string{"# on a machine between the two, to which the client connects; SERVER is the server's address"}
	if idle == 0 {
		return append(commands,
			`printf 'listen box\n mode tcp\n bind :5000\n server it %s:5000\n' "$SERVER" > /tmp/proxy.conf`,
			"haproxy -f /tmp/proxy.conf")
	}
	return append(commands,
		fmt.Sprintf(`printf 'load_module modules/ngx_stream_module.so; events {} stream { server { listen 5000; proxy_pass %%s:5000; proxy_timeout %ds; } }' "$SERVER" > /tmp/proxy.conf`, idle/time.Second),
		"nginx -c /tmp/proxy.conf")
}
