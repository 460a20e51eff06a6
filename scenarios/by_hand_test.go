package scenarios_test

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
)

// byHand runs the commands of a fault in a shell, on the hosts that the comments among them
// name, as a reader of a runbook does.
func byHand(t *testing.T, lab *harness.Lab, f harness.Fault) {
	t.Helper()
	host := lab.Client
	for _, line := range f.Commands(lab) {
		if name, ok := strings.CutPrefix(line, "# on the "); ok {
			name, _, _ = strings.Cut(name, ",")
			host = lab.Host(strings.Replace(name, "NAT", "firewall", 1))
			continue
		}
		cmd := exec.Command("sh", "-c", line)
		cmd.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
		err := host.Do(func() error {
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%s on the %s: %v\n%s", line, host.Name(), err, out)
			}
			return err
		})
		if err != nil {
			return
		}
	}
}

// moving matches what changes by itself: packet counters, times of day, and the state of the
// carrier, which the kernel updates up to a second late (net/core/link_watch.c).
var moving = regexp.MustCompile(`(?m)^\[\d+:\d+\] |^#.*\n| \[\d+:\d+\]$|NO-CARRIER,|,LOWER_UP|,M-DOWN| qdisc .*$| (dead|linkdown)\b`)

// state returns what a fault may have changed on any host: rules, links, routes and conntrack
// settings.
func state(t *testing.T, lab *harness.Lab) (lines []string) {
	t.Helper()
	for _, h := range lab.Hosts() {
		rules, err := h.Rules().Save()
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, "# "+h.Name())
		lines = append(lines, strings.Split(moving.ReplaceAllString(rules, ""), "\n")...)
		var out []byte
		err = h.Do(func() (err error) {
			cmd := exec.Command("sh", "-c", "ip -o link; ip -4 route; ip -6 route; cat /proc/sys/net/netfilter/nf_conntrack_tcp_*")
			cmd.Env = append(os.Environ(), "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
			out, err = cmd.CombinedOutput()
			return err
		})
		if err != nil {
			t.Fatalf("reading the links and routes of the %s: %v\n%s", h.Name(), err, out)
		}
		lines = append(lines, strings.Split(moving.ReplaceAllString(string(out), ""), "\n")...)
	}
	return lines
}

func TestTheCommandsDoByHandWhatApplyDoes(t *testing.T) {
	for _, c := range []struct {
		topology harness.Topology
		fault    harness.Fault
	}{
		{harness.Direct, scenarios.SilentDrop{}},
		{harness.Firewalled, scenarios.SilentDrop{}},
		{harness.Multihomed, scenarios.SilentDrop{On: scenarios.SecondPath}},
		{harness.Firewalled, scenarios.HeartbeatsDropped{}},
		{harness.Routed, scenarios.CableOut{At: scenarios.Middle}},
		{harness.Firewalled, scenarios.ICMPError{Answer: scenarios.ProtocolUnreachable}},
		{harness.Firewalled, scenarios.ICMPError{Answer: scenarios.TimeExceeded}},
		{harness.Routed, scenarios.NeighbourLost{}},
		{harness.Routed, scenarios.PathMTU{MTU: 1400}},
		{harness.Routed, scenarios.PathMTU{MTU: 1280, Filtered: true}},
		{harness.Firewalled, scenarios.IdleTimeout{After: 90e9, Then: firewall.ResetSender}},
		{harness.Firewalled, scenarios.IdleTimeout{After: 90e9, Then: firewall.PickUp}},
		{harness.Multihomed, scenarios.IdleTimeout{After: 90e9, Then: firewall.ResetSender}},
		{harness.Firewalled, middlebox(t, "aws-nat-gw")},
		{harness.Firewalled, middlebox(t, "gcp-vpc-firewall")},
		{harness.Multihomed, middlebox(t, "gcp-cloud-nat")},
		{harness.Multihomed, scenarios.CableOut{At: scenarios.ServersEnd}},
		{harness.Multihomed, scenarios.NeighbourLost{}},
		{harness.Multihomed, scenarios.PathMTU{MTU: 1400}},
	} {
		t.Run(fmt.Sprint(c.topology, ": ", c.fault), func(t *testing.T) {
			t.Parallel()
			lab, hand := harness.New(t, c.topology, sock.IPv4), harness.New(t, c.topology, sock.IPv4)
			untouched := state(t, hand)
			lab.Apply(c.fault)
			byHand(t, hand, c.fault)
			applied, typed := state(t, lab), state(t, hand)
			if slices.Equal(applied, untouched) {
				t.Error("the fault changed nothing that this test can see")
			}
			if !slices.Equal(applied, typed) {
				t.Errorf("after Apply:\n%s\nafter the commands:\n%s", strings.Join(applied, "\n"), strings.Join(typed, "\n"))
			}
		})
	}
}
