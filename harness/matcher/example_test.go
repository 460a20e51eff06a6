package matcher_test

// Each example is the body of a Ginkgo spec. They are compiled and not run: most wait for hours
// of virtual time, which takes no time in `halfopen test`.

import (
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/fixtures"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/firewall"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
)

// A firewall forgets a connection that was idle for 350 s, and resets the next sender.
func ExampleFailWith() {
	lab := harness.New(GinkgoT(), harness.Firewalled, sock.IPv4)
	lab.Apply(scenarios.IdleTimeout{After: 350 * time.Second, Then: firewall.ResetSender})
	client, _ := lab.Connect(5000)

	time.Sleep(351 * time.Second)
	Expect(client.Write("late")).To(Succeed())

	Expect(client).To(FailWith(unix.ECONNRESET, Within(time.Second)))
}

// The peer closes in order.
func ExampleReadZero() {
	lab := harness.New(GinkgoT(), harness.Direct, sock.IPv4)
	client, server := lab.Connect(5000)

	server.Close()

	Expect(client).To(ReadZero(Within(time.Second)))
}

// A closed port refuses connections.
func ExampleFailToConnect() {
	lab := harness.New(GinkgoT(), harness.Direct, sock.IPv4)
	client := lab.Client.NewSocket("client")

	Expect(client.Connect(lab.Server.AddressPort(5000))).To(Equal(unix.EINPROGRESS))

	Expect(client).To(FailToConnect(unix.ECONNREFUSED, Within(time.Second)))
}

// Probes of keepalive keep a connection alive on which nothing is sent for an hour.
func ExampleStayAlive() {
	lab := harness.New(GinkgoT(), harness.Firewalled, sock.IPv4)
	lab.Apply(scenarios.IdleTimeout{After: 350 * time.Second, Then: firewall.ResetBoth})
	client, _ := lab.Connect(5000)

	client.Keepalive(oracle.Keepalive{Idle: 5 * time.Minute, Interval: time.Minute, Count: 3})

	Expect(client).To(StayAlive(time.Hour))
}

// After a power cut the peer still takes the connection for established: it is half-open.
func ExampleBeInState() {
	lab := harness.New(GinkgoT(), harness.Firewalled, sock.IPv4)
	_, server := lab.Connect(5000)

	lab.Apply(scenarios.PowerOff{Host: lab.Client})

	Expect(server).To(BeInState(sock.Established))
}

// The side that closes first keeps the connection in TIME_WAIT for a minute. Its program has
// closed the socket, so the entry of the host's socket table is asked.
func ExampleEnterState() {
	lab := harness.New(GinkgoT(), harness.Direct, sock.IPv4)
	client, server := lab.Connect(5000)
	entry := client.TableEntry()

	client.Close()
	server.Close()
	closed := time.Now()

	Expect(entry).To(EnterState(sock.TimeWait, Within(time.Second)))
	Expect(entry).To(EnterState(sock.Closed, During(oracle.Around(oracle.TimeWait), closed)))
}

// A server that does not close its side keeps the connection in CLOSE_WAIT.
func ExampleStayIn() {
	lab := harness.New(GinkgoT(), harness.Direct, sock.IPv4)
	client, server := lab.Connect(5000)

	client.Close()

	Expect(server).To(EnterState(sock.CloseWait, Within(time.Second)))
	Expect(server).To(StayIn(sock.CloseWait, time.Hour))
}

// A FIN makes a connection readable; it stays writable, and is not hung up.
func ExampleHavePollEvents() {
	lab := harness.New(GinkgoT(), harness.Direct, sock.IPv4)
	client, server := lab.Connect(5000)

	client.CloseWrite()

	Expect(server).To(HavePollEvents(unix.POLLIN|unix.POLLRDHUP|unix.POLLOUT, Within(time.Second)))
}

// Waiting for data does not read it.
func ExampleBeReadable() {
	lab := harness.New(GinkgoT(), harness.Direct, sock.IPv4)
	client, server := lab.Connect(5000)

	Expect(client.Write("hello")).To(Succeed())

	Expect(server).To(BeReadable(Within(time.Second)))
	Expect(server.Read()).To(Equal("hello"))
}

// A reboot makes the peer answer the next segment with RST.
func ExampleHaveReceived() {
	lab := harness.New(GinkgoT(), harness.Routed, sock.IPv4)
	client, _ := lab.Connect(5000)
	reboot := scenarios.PowerOff{Host: lab.Server}
	lab.Apply(reboot)
	lab.Heal(reboot)

	Expect(client.Write("are you there?")).To(Succeed())

	Expect(lab.Client).To(HaveReceived(1, capture.RST, Within(time.Second)))
}

// Keepalive probes a silent peer three times.
func ExampleHaveSent() {
	lab := harness.New(GinkgoT(), harness.Firewalled, sock.IPv4)
	client, _ := lab.Connect(5000)
	settings := oracle.Keepalive{Idle: 10 * time.Minute, Interval: time.Minute, Count: 3}
	client.Keepalive(settings)
	lab.Apply(scenarios.SilentDrop{})

	quiet := client.QuietSince()

	Expect(lab.Client).To(HaveSent(3, capture.KeepaliveProbe, During(oracle.Around(settings.Probes()[2]), quiet)))
}

// A packet of a capture has the instant at which it passed.
func ExampleHappen() {
	lab := harness.New(GinkgoT(), harness.Direct, sock.IPv4)
	client, _ := lab.Connect(5000)
	client.Keepalive(oracle.Keepalive{Idle: time.Hour, Interval: time.Minute, Count: 3})
	quiet := client.QuietSince()

	time.Sleep(2 * time.Hour)

	probe := lab.Client.Sent(capture.KeepaliveProbe)[0]
	Expect(probe.At).To(Happen(During(oracle.Around(time.Hour), quiet)))
}

// A program with heartbeats notices that its peer is silent.
func ExampleAnnounce() {
	lab := harness.New(GinkgoT(), harness.Firewalled, sock.IPv4)
	beats := fixtures.Heartbeat{Interval: time.Second, Timeout: 5 * time.Second}
	lab.StartServer(5000, beats)
	client := lab.StartClient(5000, beats)
	time.Sleep(time.Minute)

	lab.Apply(scenarios.SilentDrop{})
	last := lab.LastData(lab.Client)

	Expect(client).To(Announce(fixtures.Silent, During(oracle.Silence(beats.Timeout, beats.Interval), last)))
}

// A program reports the errno with which its connection has ended: its peer was rebooted, and answers
// the next heartbeat with RST.
func ExampleAnnounceErrno() {
	lab := harness.New(GinkgoT(), harness.Firewalled, sock.IPv4)
	lab.StartServer(5000, fixtures.Heartbeat{})
	client := lab.StartClient(5000, fixtures.Heartbeat{})

	reboot := scenarios.PowerOff{Host: lab.Server}
	lab.Apply(reboot)
	lab.Heal(reboot)

	Expect(client).To(AnnounceErrno(fixtures.Failed, unix.ECONNRESET, Within(2*time.Second)))
}

// Heartbeats raise no false alarm on a healthy path.
func ExampleGoWithout() {
	lab := harness.New(GinkgoT(), harness.Firewalled, sock.IPv4)
	lab.StartServer(5000, fixtures.Heartbeat{})
	client := lab.StartClient(5000, fixtures.Heartbeat{})

	Expect(client).To(GoWithout(fixtures.Silent, 10*time.Minute))
}

// The kernel gives up a dead peer after the time that the settings of keepalive take, counted
// from when it last heard from the peer.
func ExampleDuring() {
	lab := harness.New(GinkgoT(), harness.Firewalled, sock.IPv4)
	client, _ := lab.Connect(5000)
	client.Keepalive(oracle.Default())
	lab.Apply(scenarios.SilentDrop{})

	Expect(client).To(FailWith(unix.ETIMEDOUT, During(oracle.Default().Death(), client.QuietSince())))
}
