package firewall_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness/firewall"
)

func TestSetReplacesAndRemovesASet(t *testing.T) {
	t.Parallel()
	r := firewalled(t).Client.Rules() // any host has rules
	must(t, r.Set(firewall.Named("first"), firewall.Filter("-A INPUT -p tcp -j DROP")))
	must(t, r.Set(firewall.Named("second"), firewall.Rule{Table: "raw", IPv4: "-A PREROUTING -i lo -j DROP"}))
	must(t, r.Set(firewall.Named("third"), firewall.Rule{Table: "filter", IPv6: "-A INPUT -p udp -j DROP"}))
	expectRules(t, "after three sets", r,
		"iptables -t raw -A PREROUTING -i lo -j DROP",
		"iptables -t filter -A INPUT -p tcp -j DROP",
		"ip6tables -t filter -A INPUT -p tcp -j DROP",
		"ip6tables -t filter -A INPUT -p udp -j DROP")

	must(t, r.Set(firewall.Named("first"), firewall.Filter("-A INPUT -p sctp -j DROP")))
	must(t, r.Set(firewall.Named("second")))
	expectRules(t, "after one was replaced and one removed", r,
		"iptables -t filter -A INPUT -p sctp -j DROP",
		"ip6tables -t filter -A INPUT -p sctp -j DROP",
		"ip6tables -t filter -A INPUT -p udp -j DROP")

	must(t, r.Set(firewall.Named("never set")))
	must(t, r.Set(firewall.Named("first")))
	must(t, r.Set(firewall.Named("third")))
	expectRules(t, "after all were removed", r)
}

func TestRulesAreThoseOfTheTimeOfSet(t *testing.T) {
	t.Parallel()
	r := firewalled(t).Client.Rules()
	mine := []firewall.Rule{{Table: "filter", IPv4: "-A INPUT -p tcp -j DROP"}}
	must(t, r.Set(firewall.Named("first"), mine...))
	mine[0].IPv4 = "-A INPUT -j DROP"
	must(t, r.Set(firewall.Named("second"), firewall.Rule{Table: "filter", IPv4: "-A INPUT -p udp -j DROP"}))
	expectRules(t, "after the caller's own rules have changed", r,
		"iptables -t filter -A INPUT -p tcp -j DROP",
		"iptables -t filter -A INPUT -p udp -j DROP")
}

// Whatever is wrong with a set, the rules of both families stay what they were, and the
// next set works.
func TestABadSetLeavesTheOldRules(t *testing.T) {
	for what, bad := range map[string][]firewall.Rule{
		"both families":             {firewall.Filter("-A INPUT -j NONESUCH")},
		"IPv4 only":                 {{Table: "filter", IPv4: "-A INPUT -j NONESUCH", IPv6: "-A INPUT -p udp -j DROP"}},
		"IPv6 only":                 {{Table: "filter", IPv4: "-A INPUT -p udp -j DROP", IPv6: "-A INPUT -j NONESUCH"}},
		"the second rule":           {firewall.Filter("-A INPUT -p udp -j DROP"), firewall.Filter("-A INPUT -j NONESUCH")},
		"the second table":          {{Table: "raw", IPv4: "-A PREROUTING -i lo -j DROP"}, firewall.Filter("-A INPUT -j NONESUCH")},
		"a table that there is not": {{Table: "nonesuch", IPv4: "-A INPUT -j DROP"}},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			r := firewalled(t).Client.Rules()
			must(t, r.Set(firewall.Named("raw"), firewall.Rule{Table: "raw", IPv4: "-A PREROUTING -i eth9 -j DROP"}))
			must(t, r.Set(firewall.Named("old"), firewall.Filter("-A INPUT -p tcp -j DROP")))
			old := []string{
				"iptables -t raw -A PREROUTING -i eth9 -j DROP",
				"iptables -t filter -A INPUT -p tcp -j DROP",
				"ip6tables -t filter -A INPUT -p tcp -j DROP",
			}

			err := r.Set(firewall.Named("old"), bad...)
			if err == nil || !strings.HasPrefix(err.Error(), `setting the rules of "old" on client: ip`) || !strings.Contains(strings.ToLower(err.Error()), "nonesuch") {
				t.Errorf("Set: %v; expected whose rules failed, and what iptables said", err)
			}
			expectRules(t, "after the bad set", r, old...)

			if err := r.Set(firewall.Named("new"), firewall.Rule{Table: "filter", IPv6: "-A INPUT -p sctp -j DROP"}); err != nil {
				t.Fatalf("a good set after the bad one: %v", err)
			}
			expectRules(t, "after a good set", r, append(old, "ip6tables -t filter -A INPUT -p sctp -j DROP")...)
		})
	}
}

// The expected lines are what a Linux administrator would type: iptables(8),
// iptables-extensions(8), and the sysctls of nf_conntrack-sysctl.rst.
func TestCommandsAreWhatOneWouldType(t *testing.T) {
	for _, c := range []struct{ got, want []string }{
		{firewall.Commands(), nil},
		{firewall.Commands(firewall.Filter("-A FORWARD -p tcp -j DROP"), firewall.Rule{Table: "raw", IPv6: "-A PREROUTING -j DROP"}), []string{
			"iptables -t filter -A FORWARD -p tcp -j DROP",
			"ip6tables -t filter -A FORWARD -p tcp -j DROP",
			"ip6tables -t raw -A PREROUTING -j DROP"}},
		{firewall.MasqueradeCommands("eth1", firewall.PortRange{}), []string{
			"iptables -t nat -A POSTROUTING -o eth1 -p tcp -j MASQUERADE",
			"ip6tables -t nat -A POSTROUTING -o eth1 -p tcp -j MASQUERADE"}},
		{firewall.MasqueradeCommands("eth1", firewall.PortRange{First: 40000, Last: 40009}), []string{
			"iptables -t nat -A POSTROUTING -o eth1 -p tcp -j MASQUERADE --to-ports 40000-40009",
			"ip6tables -t nat -A POSTROUTING -o eth1 -p tcp -j MASQUERADE --to-ports 40000-40009"}},
		{firewall.PolicyCommands(90*time.Second, firewall.PickUp), []string{
			"sysctl -w net.netfilter.nf_conntrack_tcp_timeout_established=90",
			"sysctl -w net.netfilter.nf_conntrack_sctp_timeout_established=90",
			"sysctl -w net.netfilter.nf_conntrack_tcp_loose=1",
			"iptables -t filter -A FORWARD -m conntrack --ctstate NEW,ESTABLISHED,RELATED -j ACCEPT",
			"ip6tables -t filter -A FORWARD -m conntrack --ctstate NEW,ESTABLISHED,RELATED -j ACCEPT"}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("the commands are\n  %s\nexpected\n  %s", strings.Join(c.got, "\n  "), strings.Join(c.want, "\n  "))
		}
	}
}

func TestAToolThatIsMissingComesWithTheRemedy(t *testing.T) {
	_, err := firewall.Tool("nonesuch-restore")
	if want := "nonesuch-restore is not installed: install the package iptables"; err == nil || err.Error() != want {
		t.Errorf("Tool: %v, expected %s", err, want)
	}
}

// The PATH of an ordinary user often lacks /usr/sbin.
func TestAnAdministratorsToolIsFoundWithoutItsDirectoryInPATH(t *testing.T) {
	t.Setenv("PATH", "/nonexistent")
	path, err := firewall.Tool("iptables-restore")
	if err != nil || !strings.HasSuffix(path, "/iptables-restore") {
		t.Errorf("Tool: %q, %v; expected the path of iptables-restore", path, err)
	}
}
