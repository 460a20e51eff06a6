package scenarios_test

import (
	"os/exec"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/fixtures/presets"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	"github.com/halfopen-lab/halfopen/harness/link"
	"github.com/halfopen-lab/halfopen/harness/proxy"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
)

// t is the test in which the examples stand. The examples are compiled and not run: each
// needs a lab.
var t *testing.T

func ExampleAcceptQueueFull() {
	lab := harness.New(t, harness.Direct, sock.IPv4)
	listener := lab.Server.Listen(5000, 2)
	lab.Apply(scenarios.AcceptQueueFull{Listener: listener, Backlog: 2}) // three clients connect

	late := lab.Client.NewSocket("late client")
	_ = late.Connect(lab.Entrance(5000)) // stays in SYN-SENT
}

func ExampleCableOut() {
	lab := harness.New(t, harness.Routed, sock.IPv4)
	client, _ := lab.Connect(5000)
	cable := scenarios.CableOut{At: scenarios.Middle} // no host loses its carrier
	lab.Apply(cable)
	_ = client.Write("held up")
	time.Sleep(10 * time.Second)
	lab.Heal(cable) // the next retransmission delivers the data
}

func ExampleForgedReset() {
	lab := harness.New(t, harness.Firewalled, sock.IPv4)
	client, server := lab.Connect(5000)
	_ = server.Write("hello")
	_, _ = client.Read()

	// The client ignores it. With scenarios.Exact it would get ECONNRESET, and the server
	// would know nothing.
	lab.Apply(scenarios.ForgedReset{To: scenarios.End(client), Number: scenarios.Stale})
}

func ExampleForgetFlow() {
	lab := harness.New(t, harness.Firewalled, sock.IPv4)
	lab.Apply(scenarios.IdleTimeout{After: time.Hour, Then: firewall.ResetSender})
	client, _ := lab.Connect(5000)

	lab.Apply(scenarios.ForgetFlow{Client: client}) // as if an hour had passed
	_ = client.Write("still there?")                // the firewall answers with RST
}

func ExampleStateFlush() {
	lab := harness.New(t, harness.Firewalled, sock.IPv4)
	lab.Apply(scenarios.IdleTimeout{After: time.Hour, Then: firewall.SilentDrop})
	client, _ := lab.Connect(5000)

	lab.Apply(scenarios.StateFlush{Then: firewall.SilentDrop})
	_ = client.Write("hello?") // retransmitted until the kernel gives up
}

func ExampleHeartbeatsDropped() {
	lab := harness.New(t, harness.Firewalled, sock.IPv4)
	client, _ := lab.Associate(3868, nil) // an SCTP association

	lab.Apply(scenarios.HeartbeatsDropped{}) // the client's kernel takes the living server for dead
	_ = client.Write(0, 0, "data still passes")
}

func ExampleICMPError() {
	lab := harness.New(t, harness.Firewalled, sock.IPv4)
	lab.Apply(scenarios.ICMPError{Answer: scenarios.HostUnreachable})

	client := lab.Client.NewSocket("client")
	_ = client.Connect(lab.Server.AddressPort(5000)) // ends with EHOSTUNREACH
}

func ExampleIdleTimeout() {
	lab := harness.New(t, harness.Firewalled, sock.IPv4)
	lab.Apply(scenarios.IdleTimeout{After: 350 * time.Second, Then: firewall.ResetSender})
	client, _ := lab.Connect(5000)

	time.Sleep(351 * time.Second)
	_ = client.Write("late") // the client gets ECONNRESET, and the server keeps a half-open connection
}

func ExampleImpairedPath() {
	lab := harness.New(t, harness.Routed, sock.IPv4)
	bad := scenarios.ImpairedPath{By: link.Impairment{Delay: 300 * time.Millisecond, Jitter: 100 * time.Millisecond, Loss: 20}}
	lab.Apply(bad)
	lab.Connect(5000) // over a path that loses a fifth of the packets
	lab.Heal(bad)
}

func ExampleMiddlebox() {
	preset, known := presets.Find("aws-nlb-tcp")
	if !known {
		t.Fatal("there is no such preset: see halfopen presets")
	}
	lab := harness.New(t, harness.Firewalled, sock.IPv4)
	lab.Apply(scenarios.Middlebox{Preset: preset})
	client, _ := lab.Connect(5000)

	time.Sleep(preset.Idle + time.Second)
	_ = client.Write("late")
}

func ExampleHalfClose() {
	lab := harness.New(t, harness.Direct, sock.IPv4)
	client, server := lab.Connect(5000)
	lab.Apply(scenarios.HalfClose{By: server})
	_, _ = client.Read()           // the end of the stream
	_ = client.Write("still open") // arrives
}

func ExampleOutage() {
	lab := harness.New(t, harness.Routed, sock.IPv4)
	client, _ := lab.Connect(5000)
	outage := scenarios.Outage{For: 45 * time.Second}
	lab.Apply(outage)
	_ = client.Write("held up")
	time.Sleep(outage.Lasts())
	lab.Heal(outage) // the next retransmission delivers the data
}

func ExamplePeerResets() {
	lab := harness.New(t, harness.Direct, sock.IPv4)
	client, server := lab.Connect(5000)
	resets := scenarios.PeerResets{By: server, After: 2 * time.Minute}
	time.Sleep(resets.After)
	lab.Apply(resets)
	_, _ = client.Read() // ECONNRESET
}

func ExampleReboot() {
	lab := harness.New(t, harness.Firewalled, sock.IPv4)
	client, _ := lab.Connect(5000)
	reboot := scenarios.Reboot{Host: lab.Server, Off: time.Minute}
	lab.Apply(reboot)
	time.Sleep(reboot.Lasts())
	lab.Heal(reboot)
	_ = client.Write("still there?") // the server's kernel answers with RST
}

func ExampleServerAway() {
	lab := harness.New(t, harness.Routed, sock.IPv4)
	lab.Apply(scenarios.ServerAway{How: scenarios.Unreachable})
	late := lab.Client.NewSocket("client")
	_ = late.Connect(lab.Entrance(5000)) // EHOSTUNREACH after three seconds
}

func ExampleParse() {
	outage, err := scenarios.Parse("outage of 2 min")
	if err != nil {
		t.Fatal(err) // what is wrong with the title, in one line
	}
	harness.New(t, harness.Routed, sock.IPv4).Apply(outage)
}

func ExampleNATRebinding() {
	lab := harness.New(t, harness.NATed, sock.IPv4)
	client, _ := lab.Connect(5000)

	lab.Apply(scenarios.NATRebinding{Client: client, Ports: firewall.PortRange{First: 61000, Last: 61999}})
	_ = client.Write("me again") // arrives from another port, and the server resets the stranger
}

func ExampleNeighbourLost() {
	lab := harness.New(t, harness.Firewalled, sock.IPv4)
	lab.Apply(scenarios.NeighbourLost{})

	client := lab.Client.NewSocket("client")
	_ = client.Connect(lab.Server.AddressPort(5000)) // ends with EHOSTUNREACH after about three seconds
}

func ExamplePathMTU() {
	lab := harness.New(t, harness.Routed, sock.IPv4)
	client, _ := lab.Connect(5000)

	lab.Apply(scenarios.PathMTU{MTU: 1280, Filtered: true})
	_ = client.Write("a heartbeat passes")
	_ = client.Write(string(make([]byte, 1400))) // never arrives, and nobody says why
}

func ExamplePowerOff() {
	lab := harness.New(t, harness.Firewalled, sock.IPv4)
	client, _ := lab.Connect(5000)
	cut := scenarios.PowerOff{Host: lab.Server}
	lab.Apply(cut) // no FIN, no RST: the client knows nothing
	lab.Heal(cut)  // the server has rebooted
	_ = client.Write("hello?")
	// The server answers with RST.
}

func ExamplePowerOffFrozen() {
	lab := harness.New(t, harness.Direct, sock.IPv4)
	program := lab.Client.Start(exec.Command("nc", "server", "5000"))
	lab.Apply(scenarios.PowerOffFrozen{Host: lab.Server, Program: program}) // keepalive alone can tell
}

func ExampleProcessKilled() {
	lab := harness.New(t, harness.Direct, sock.IPv4)
	program := lab.Server.Start(exec.Command("nginx", "-g", "daemon off;"))
	program.AwaitListening(80)
	client := lab.Dial(80)

	lab.Apply(scenarios.ProcessKilled{Program: program})
	_, _ = client.Read() // "": the server's kernel has sent FIN
}

func ExampleProcessStopped() {
	lab := harness.New(t, harness.Direct, sock.IPv4)
	program := lab.Server.Start(exec.Command("nginx", "-g", "daemon off;"))
	program.AwaitListening(80)
	client := lab.Dial(80)

	stop := scenarios.ProcessStopped{Program: program}
	lab.Apply(stop)
	_ = client.Write("GET / HTTP/1.0\r\n\r\n") // acknowledged, and not answered
	lab.Heal(stop)
}

func ExampleRouteDisabled() {
	lab := harness.New(t, harness.Proxied, sock.IPv4)
	lab.Connect(5000)

	disabled := scenarios.RouteDisabled{Port: 5000}
	lab.Apply(disabled) // both ends read 0, and the next client is refused
	lab.Heal(disabled)
}

func ExampleProxyKilled() {
	lab := harness.New(t, harness.Proxied, sock.IPv4)
	lab.Connect(5000)

	lab.Apply(scenarios.ProxyKilled{}) // both ends read 0
}

func ExampleReceiverStalls() {
	lab := harness.New(t, harness.Direct, sock.IPv4)
	client, server := lab.Connect(5000)

	stall := &scenarios.ReceiverStalls{Sender: client, Receiver: server}
	lab.Apply(stall)
	t.Logf("the queues hold %d bytes", stall.Accepted)
	_ = client.Write("more") // EAGAIN
	lab.Heal(stall)          // the server reads every byte
}

func ExampleSilentDrop() {
	lab := harness.New(t, harness.Firewalled, sock.IPv4)
	client, _ := lab.Connect(5000)

	drop := scenarios.SilentDrop{Direction: scenarios.TowardsServer}
	lab.Apply(drop)
	_ = client.Write("held up") // retransmitted
	lab.Heal(drop)              // the next retransmission arrives
}

func ExampleToxic() {
	lab := harness.New(t, harness.Proxied, sock.IPv4)
	lab.Connect(5000)

	slow := scenarios.Toxic{Port: 5000, Toxic: proxy.Latency{Delay: 2 * time.Second}, Live: true}
	lab.Apply(slow)
	lab.Heal(slow)
}
