package scenarios_test

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	"github.com/halfopen-lab/halfopen/harness/link"
	"github.com/halfopen-lab/halfopen/harness/proxy"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
)

func TestEveryFaultSaysWhatHappens(t *testing.T) {
	lab := harness.New(t, harness.Firewalled, sock.IPv4)
	client, server := lab.Connect(5000)
	program := lab.Server.Start(exec.Command("sleep", "60"))
	for _, c := range []struct {
		fault harness.Fault
		want  string
	}{
		{scenarios.AcceptQueueFull{Backlog: 2}, "the accept queue (backlog 2) is full"},
		{scenarios.CableOut{}, "the cable at the client's end is pulled"},
		{scenarios.CableOut{At: scenarios.Middle}, "the cable in the middle is pulled"},
		{scenarios.CableOut{At: scenarios.ServersEnd}, "the cable at the server's end is pulled"},
		{scenarios.CableOut{At: 7}, "the cable at place 7 is pulled"},
		{scenarios.ForgetFlow{Client: client}, "the firewall forgets the flow now"},
		{scenarios.HalfClose{By: client}, "client sends FIN, and goes on reading"},
		{scenarios.Outage{For: 45 * time.Second}, "packets in both directions are dropped silently for 45s"},
		{scenarios.PeerResets{By: server, After: 2 * time.Minute}, "server aborts the connection, idle for 2m0s, with RST"},
		{scenarios.PowerOffFrozen{Host: lab.Client, Program: program}, "the server's program is stopped (SIGSTOP), and the client loses power"},
		{scenarios.Reboot{Host: lab.Server, Off: time.Minute}, "the server loses power, and boots 1m0s later"},
		{scenarios.ServerAway{}, "the server is away: silent"},
		{scenarios.ServerAway{How: scenarios.Refused}, "the server is away: refused"},
		{scenarios.ServerAway{How: scenarios.Unreachable}, "the server is away: host unreachable"},
		{scenarios.StateFlush{}, "the firewall loses its state, then silent drop"},
		{scenarios.StateFlush{Then: firewall.PickUp}, "the firewall loses its state, then loose pick-up"},
		{scenarios.ForgedReset{To: scenarios.End(client)}, "the firewall sends client an RST with the sequence number that is expected next"},
		{scenarios.ForgedReset{To: scenarios.End(client), Number: scenarios.InWindow}, "the firewall sends client an RST with a sequence number inside the window that is not the next"},
		{scenarios.ForgedReset{To: scenarios.End(server), Number: scenarios.Stale}, "the firewall sends server an RST with a stale sequence number"},
		{scenarios.HeartbeatsDropped{}, "the router drops SCTP heartbeats, and nothing else"},
		{scenarios.ICMPError{}, "the router answers packets towards the server with ICMP network unreachable"},
		{scenarios.ICMPError{Answer: scenarios.HostUnreachable}, "the router answers packets towards the server with ICMP host unreachable"},
		{scenarios.ICMPError{Answer: scenarios.ProtocolUnreachable}, "the router answers packets towards the server with ICMP protocol unreachable"},
		{scenarios.ICMPError{Answer: scenarios.PortUnreachable}, "the router answers packets towards the server with ICMP port unreachable"},
		{scenarios.ICMPError{Answer: scenarios.TimeExceeded}, "the router answers packets towards the server with ICMP time exceeded"},
		{scenarios.IdleTimeout{After: 90 * time.Second, Then: firewall.ResetSender}, "the firewall forgets flows idle for 1m30s, then RST to the next sender"},
		{scenarios.IdleTimeout{After: time.Second, Then: firewall.ResetBoth, RefreshedBy: scenarios.TowardsServer},
			"the firewall forgets flows idle for 1s, then RST to both ends at expiry; only packets towards the server refresh them"},
		{scenarios.IdleTimeout{After: time.Second, RefreshedBy: scenarios.TowardsClient},
			"the firewall forgets flows idle for 1s, then silent drop; only packets towards the client refresh them"},
		{scenarios.ImpairedPath{By: link.Impairment{Delay: 300 * time.Millisecond, Jitter: 100 * time.Millisecond, Loss: 20}},
			"packets in both directions are impaired: delay 300ms 100ms loss 20%"},
		{scenarios.ImpairedPath{Direction: scenarios.TowardsClient, By: link.Impairment{Rate: 64000}},
			"packets towards the client are impaired: rate 64000bit"},
		{middlebox(t, "aws-nat-gw"), "the firewall is aws-nat-gw: idle timeout 350 s, fixed, then RST to the next sender"},
		{middlebox(t, "azure-lb-tcpreset"), "the firewall is azure-lb-tcpreset: idle timeout 240 s (240 to 6000 s), then RST to both ends at expiry"},
		{scenarios.NATRebinding{Client: client, Ports: firewall.PortRange{First: 40000, Last: 40009}},
			"the NAT forgets the mapping and takes another from ports 40000 to 40009"},
		{scenarios.NeighbourLost{}, "the server no longer answers its router's ARP"},
		{scenarios.PathMTU{MTU: 1400}, "the path to the server takes packets of at most 1400 bytes"},
		{scenarios.PathMTU{MTU: 1280, Filtered: true}, "the path to the server takes packets of at most 1280 bytes, and the ICMP error that says so is filtered"},
		{scenarios.PowerOff{Host: lab.Server}, "the server loses power"},
		{scenarios.ProcessKilled{Program: program}, "the server's program is killed (SIGKILL)"},
		{scenarios.ProcessStopped{Program: program}, "the server's program is stopped (SIGSTOP)"},
		{scenarios.ProxyKilled{}, "the proxy is killed (SIGKILL)"},
		{scenarios.RouteDisabled{Port: 5000}, "the proxy's route is disabled"},
		{&scenarios.ReceiverStalls{Sender: client, Receiver: server}, "server does not read, and client writes until it cannot"},
		{scenarios.SilentDrop{}, "packets in both directions are dropped silently"},
		{scenarios.SilentDrop{Direction: scenarios.TowardsServer}, "packets towards the server are dropped silently"},
		{scenarios.SilentDrop{Direction: scenarios.TowardsClient}, "packets towards the client are dropped silently"},
		{scenarios.SilentDrop{On: scenarios.SecondPath}, "packets in both directions are dropped silently on the second path"},
	} {
		if got := c.fault.String(); got != c.want {
			t.Errorf("%T says %q, expected %q", c.fault, got, c.want)
		}
	}
}

// The words are toxiproxy's, and not Go's text for a pointer.
func TestAToxicSaysItsKindAndItsValues(t *testing.T) {
	for _, c := range []struct {
		fault scenarios.Toxic
		words []string
	}{
		{scenarios.Toxic{Toxic: proxy.Latency{Delay: 50 * time.Millisecond}}, []string{"Latency", "downstream", "50ms"}},
		{scenarios.Toxic{Toxic: proxy.ResetPeer{Stream: proxy.Upstream, Toxicity: new(0.25)}}, []string{"ResetPeer", "upstream", "0.25"}},
		{scenarios.Toxic{Toxic: proxy.LimitData{Bytes: 9}, Live: true}, []string{"LimitData", "9", "on live connections"}},
	} {
		text := c.fault.String()
		for _, word := range c.words {
			if !strings.Contains(text, word) {
				t.Errorf("%#v says %q; expected the word %q in it", c.fault.Toxic, text, word)
			}
		}
		if strings.Contains(text, "<nil>") || strings.Contains(text, "0x") {
			t.Errorf("%T says %q, which is no sentence", c.fault.Toxic, text)
		}
	}
}
