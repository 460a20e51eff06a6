package scenarios_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/fixtures/presets"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
)

func middlebox(t *testing.T, name string) scenarios.Middlebox {
	t.Helper()
	p, ok := presets.Find(name)
	if !ok {
		t.Fatalf("there is no preset %s", name)
	}
	return scenarios.Middlebox{Preset: p}
}

func TestNoFirewallPlaysAProxyOrABoxWithoutATimeout(t *testing.T) {
	lab := harness.New(t, harness.Firewalled, sock.IPv4)
	untouched := state(t, lab)
	expectError(t, lab, middlebox(t, "aws-alb"), "aws-alb is a proxy, which a firewall cannot play: start a proxy")
	expectError(t, lab, scenarios.Middlebox{Preset: presets.Preset{Name: "box"}}, "box has no idle timeout: there is nothing to play")
	if strings.Join(state(t, lab), "\n") != strings.Join(untouched, "\n") {
		t.Error("what was refused has changed the firewall")
	}
}

func TestEveryFirewallAmongThePresetsCanBePlayed(t *testing.T) {
	for _, p := range presets.All() {
		if p.Proxy() {
			continue
		}
		t.Run(p.Name, func(t *testing.T) {
			t.Parallel()
			lab := harness.New(t, harness.Firewalled, sock.IPv4)
			lab.Apply(scenarios.Middlebox{Preset: p})
			client, server := lab.Connect(5000)
			write(t, client, "hello")
			expectText(t, server, "hello")

			entry, known, err := lab.Firewall().Find(client.Local(), client.Remote())
			if err != nil || !known || entry.Timeout > p.Idle || entry.Timeout < p.Idle-p.Idle/10 {
				t.Errorf("the firewall's entry: %v, %v, %v; expected a timeout of %v", entry, known, err, p.Idle)
			}
			if hidden := server.Remote().Addr() != client.Local().Addr(); hidden != p.SourceNAT {
				t.Errorf("the server sees %v, the client is %v; source NAT: %v", server.Remote(), client.Local(), p.SourceNAT)
			}
		})
	}
}

func TestTheCommandsForABoxOfOnesOwn(t *testing.T) {
	nothingNew := "tables -t filter -A FORWARD -i %s -m conntrack --ctstate NEW -j DROP"
	policy := []string{
		"sysctl -w net.netfilter.nf_conntrack_tcp_timeout_established=600",
		"sysctl -w net.netfilter.nf_conntrack_sctp_timeout_established=600",
		"sysctl -w net.netfilter.nf_conntrack_tcp_loose=1",
		"iptables -t filter -A FORWARD -m conntrack --ctstate NEW,ESTABLISHED,RELATED -j ACCEPT",
		"ip6tables -t filter -A FORWARD -m conntrack --ctstate NEW,ESTABLISHED,RELATED -j ACCEPT",
	}
	on := func(link string) []string {
		line := strings.Replace(nothingNew, "%s", link, 1)
		return append([]string{"ip" + line, "ip6" + line}, policy...)
	}
	gcp := middlebox(t, "gcp-vpc-firewall")
	expectCommands(t, nil, gcp, append([]string{
		"# on a Linux machine that forwards between the two", "modprobe nf_conntrack   # its settings follow",
		"OUTSIDE=eth1   # its interface towards the server"}, on("$OUTSIDE")...)...)
	lab := harness.New(t, harness.Firewalled, sock.IPv4)
	expectCommands(t, lab, gcp, append([]string{"# on the firewall"}, on("to-server")...)...)

	last := func(name string) string {
		commands := middlebox(t, name).Commands(nil)
		return commands[len(commands)-1]
	}
	if got, want := last("azure-lb-tcpreset"), "# no shell command resets both ends the moment the timer expires: the harness watches the flow and forges the RSTs"; got != want {
		t.Errorf("azure-lb-tcpreset ends with %q, expected %q", got, want)
	}
}

// The files follow the documentation of nginx (stream, proxy_timeout) and of HAProxy
// (defaults, timeout). Both programs have accepted them.
func TestTheCommandsForAProxy(t *testing.T) {
	const where = "# on a machine between the two, to which the client connects; SERVER is the server's address"
	expectCommands(t, nil, middlebox(t, "aws-clb"), where,
		`printf 'load_module modules/ngx_stream_module.so; events {} stream { server { listen 5000; proxy_pass %s:5000; proxy_timeout 60s; } }' "$SERVER" > /tmp/proxy.conf`,
		"nginx -c /tmp/proxy.conf")
	expectCommands(t, nil, middlebox(t, "haproxy"), where,
		`printf 'listen box\n mode tcp\n bind :5000\n server it %s:5000\n' "$SERVER" > /tmp/proxy.conf`,
		"haproxy -f /tmp/proxy.conf")
}

// Packets from inside reopen a flow. A first packet from outside must not get in.
func TestOnlyTheInnerSideOpensFlowsThroughAnOutboundFirewall(t *testing.T) {
	lab := harness.New(t, harness.Firewalled, sock.IPv4)
	lab.Apply(middlebox(t, "gcp-vpc-firewall"))
	listener := lab.Client.Listen(5000, 1)
	outsider := lab.Server.NewSocket("outsider")
	_ = outsider.Connect(netip.AddrPortFrom(lab.Client.Address(), 5000)) // in progress

	if sent := lab.Server.AwaitSent(2, capture.SYN, time.Now().Add(patience)); len(sent) < 2 {
		t.Fatalf("the outsider sent %v, expected a second SYN: the first has no answer", sent)
	}
	if len(lab.Client.States()) != 1 {
		t.Errorf("the client has sockets in %v, expected one that listens on %v", lab.Client.States(), listener.Local())
	}
	client, server := lab.Connect(5001)
	write(t, client, "hello")
	expectText(t, server, "hello")
}
