package harness_test

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/environment"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/peer"
	_ "github.com/halfopen-lab/halfopen/harness/proxy/server"
	"github.com/halfopen-lab/halfopen/harness/reexec"
	"github.com/halfopen-lab/halfopen/harness/require"
	"github.com/halfopen-lab/halfopen/harness/sock"
)

var topologies = []harness.Topology{
	harness.Direct, harness.Routed, harness.Firewalled, harness.NATed, harness.Proxied, harness.ProxiedBehindFirewall, harness.Multihomed,
}

func TestEveryTopologyConnectsItsPeersOverBothFamilies(t *testing.T) {
	for _, topology := range topologies {
		for _, family := range []sock.Family{sock.IPv4, sock.IPv6} {
			t.Run(fmt.Sprintf("%v, %v", topology, family), func(t *testing.T) {
				t.Parallel()
				lab := harness.New(t, topology, family)
				client, server := lab.Connect(5000)
				if err := client.Write("hello"); err != nil {
					t.Fatal(err)
				}
				if got, err := server.Read(); got != "hello" || err != nil {
					t.Errorf("the server reads %q, %v", got, err)
				}
				if err := server.Write("hello yourself"); err != nil {
					t.Fatal(err)
				}
				if got, err := client.Read(); got != "hello yourself" || err != nil {
					t.Errorf("the client reads %q, %v", got, err)
				}
			})
		}
	}
}

// A packet passes three cables in each direction, 50 µs each.
func TestInVirtualTimeARoundTripTakesTimeAndAStepWaitsForItsAnswers(t *testing.T) {
	if err := require.Netem(); err != nil {
		t.Skip(err)
	}
	t.Setenv(environment.VirtualTime, "1")
	for _, family := range []sock.Family{sock.IPv4, sock.IPv6} {
		lab := harness.New(t, harness.Routed, family)
		client, server := lab.Connect(5000)
		if took, err := lab.Client.Ping(lab.Server.Address()); err != nil || took < 299*time.Microsecond {
			t.Errorf("over %v a ping takes %v (%v), expected 300 µs or more", family, took, err)
		}
		if err := client.Write("hello"); err != nil {
			t.Fatal(err)
		}
		if queued := client.Entry().Queues.Sent; queued != 0 {
			t.Errorf("over %v %d bytes are not acknowledged yet when the client has written", family, queued)
		}
		if got, want := lab.Client.Sent(capture.Data), lab.Server.Received(capture.Data); len(got) != 1 || len(want) != 1 || !want[0].At.After(got[0].At) {
			t.Errorf("over %v the client has sent %v, and %v has arrived, when it has written", family, got, want)
		}
		if _, err := server.Read(); err != nil {
			t.Fatal(err)
		}
		server.Close()
		if fins := lab.Client.Received(capture.FIN); len(fins) != 1 {
			t.Errorf("over %v the client has received the FINs %v when the server has closed, expected one", family, fins)
		}
	}
}

func hasNAT(topology harness.Topology) bool {
	return slices.ContainsFunc(slices.Concat(topology...), func(n harness.Node) bool { return n.Role == harness.NAT })
}

func TestOnlyANATAndAProxyHideTheClient(t *testing.T) {
	for _, topology := range topologies {
		lab := harness.New(t, topology, sock.IPv4)
		client, server := lab.Connect(5000)
		hidden := server.Remote() != client.Local()
		if want := hasNAT(topology) || lab.Proxy() != nil; hidden != want {
			t.Errorf("%v: the server sees %v, the client is %v", topology, server.Remote(), client.Local())
		}
	}
}

func TestTheSecondPathOfMultihomedSharesNothingWithTheFirst(t *testing.T) {
	lab := harness.New(t, harness.Multihomed, sock.IPv4)
	for i, router := range []string{"firewall", "firewall-2"} {
		if _, err := lab.Client.Ping(lab.Server.AddressPorts(0)[i].Addr()); err != nil {
			t.Fatal(err)
		}
		echoes := capture.ICMP("EchoRequest")
		for _, other := range []string{"firewall", "firewall-2"} {
			want := 0
			if other == router || i == 1 {
				want = 1
			}
			if got := len(lab.Host(other).Received(echoes)); got != want {
				t.Errorf("after an echo request to the server's address on path %d the %s has seen %d, expected %d", i+1, other, got, want)
			}
		}
	}
}

// A closed lab leaves no descriptors, goroutines or processes, and no thread in one of its namespaces.
func TestALabLeavesNothingBehind(t *testing.T) {
	home := namespace(t, "/proc/self/ns/net")
	cycle := func() {
		s := run("cycle", func(s *spec) {
			for _, topology := range topologies {
				lab := harness.New(s, topology, sock.IPv6)
				lab.Connect(5000)
				lab.StartServer(5001, server("sleeper"))
			}
		})
		if s.Failed() {
			t.Fatalf("the lab failed: %s %v", s.fatal, s.errors)
		}
	}
	cycle() // opens what the Go runtime keeps open
	// Captures are closed in the background: the counts settle.
	files := settled(t, "descriptors", 0, func() int { return count(t, "/proc/self/fd/*") })
	goroutines := settled(t, "goroutines", 0, runtime.NumGoroutine)
	for range 3 {
		cycle()
	}
	settled(t, "descriptors", files, func() int { return count(t, "/proc/self/fd/*") })
	settled(t, "goroutines", goroutines, runtime.NumGoroutine)
	settled(t, "network namespaces that threads are in", 1, func() int {
		inhabited := map[string]bool{home: true}
		threads, _ := filepath.Glob("/proc/self/task/*/ns/net")
		for _, thread := range threads {
			inhabited[namespace(t, thread)] = true
		}
		delete(inhabited, "") // of a thread that has just ended
		return len(inhabited)
	})
	// In this pid namespace are this process and what it has started.
	if now := count(t, "/proc/[0-9]*"); now != 1 {
		t.Errorf("%d processes are left, expected this one only", now)
	}
}

// settled waits until number returns at most most, or, if most is 0, the same twice, and returns it.
func settled(t *testing.T, what string, most int, number func() int) int {
	t.Helper()
	last := number()
	for deadline := time.Now().Add(10 * time.Second); ; {
		time.Sleep(100 * time.Millisecond)
		now := number()
		if most > 0 && now <= most || most == 0 && now == last {
			return now
		}
		if time.Now().After(deadline) {
			stacks := make([]byte, 64<<10)
			t.Fatalf("there are %d %s, expected %d:\n%s", now, what, most, stacks[:runtime.Stack(stacks, true)])
		}
		last = now
	}
}

// namespace returns the namespace that a file in /proc links to; "" if the file is gone.
func namespace(t *testing.T, file string) string {
	t.Helper()
	name, err := os.Readlink(file)
	if err != nil && !errors.Is(err, os.ErrNotExist) && !errors.Is(err, unix.ESRCH) {
		t.Fatal(err)
	}
	return name
}

func count(t *testing.T, pattern string) int {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, path := range paths {
		if _, err := os.Lstat(path); err == nil { // the directory's own descriptor is gone
			n++
		}
	}
	return n
}

func init() {
	reexec.Register("sleeper", func([]string) error {
		peer.Report(peer.Event{Name: peer.Ready})
		select {}
	})
	reexec.Register("failure", func([]string) error { return fmt.Errorf("no disk") })
}

// server is the name of a program that reports that it is ready, and serves no address.
type server reexec.Name

// ServerCommand implements harness.ServerProgram.
func (s server) ServerCommand(netip.AddrPort) *exec.Cmd { return reexec.Command(reexec.Name(s)) }

func TestWhatASpecDoesWrongIsToldInOneLine(t *testing.T) {
	for _, c := range []struct {
		what string
		do   func(*harness.Lab)
		want string
	}{
		{"a keepalive of 40000 s", func(lab *harness.Lab) {
			client, _ := lab.Connect(5000)
			client.Keepalive(oracle.Keepalive{Idle: 40000 * time.Second})
		}, "client switches keepalive on: idle 11h6m40s, interval 0s, 0 probes: the keepalive idle time 11h6m40s is more than the kernel allows, 32767 s"},
		{"a negative user timeout", func(lab *harness.Lab) {
			client, _ := lab.Connect(5000)
			client.UserTimeout(-time.Second)
		}, "client sets TCP_USER_TIMEOUT to -1s: setting TCP_USER_TIMEOUT to -1s: invalid argument"},
		{"a port in use", func(lab *harness.Lab) {
			lab.Server.Listen(5000, 1)
			lab.Server.Listen(5000, 1)
		}, "listening on 198.51.100.20:5000 of server: address already in use: another socket of server holds the port"},
		{"a port that nobody listens on", func(lab *harness.Lab) {
			lab.Dial(5000)
		}, "connecting client to 198.51.100.20:5000: connection refused"},
		{"a host that the topology does not have", func(lab *harness.Lab) {
			lab.Host("proxy")
		}, `there is no host "proxy" in the topology client — firewall — server`},
		{"a program that does not exist", func(lab *harness.Lab) {
			lab.Server.Start(exec.Command("/nonexistent/nginx"))
		}, "starting /nonexistent/nginx on server: no such file or directory: is it installed, and may it be run?"},
		{"a program that ends at once", func(lab *harness.Lab) {
			lab.StartServer(5000, server("failure"))
		}, "halfopen-failure on server ended before it was ready: exit status 1; it wrote: failure: no disk"},
		{"a sysctl that does not exist", func(lab *harness.Lab) {
			lab.Server.Sysctl("ipv4/tcp_nonesuch", 1)
		}, `server sets net/ipv4/tcp_nonesuch to 1: setting the sysctl net/ipv4/tcp_nonesuch to "1": no such file or directory`},
	} {
		if got := complaint(harness.Firewalled, c.do); got != c.want {
			t.Errorf("%s:\n got  %s\n want %s", c.what, got, c.want)
		}
	}
	if got, want := complaint(harness.Topology{{{Name: "a"}}}, func(*harness.Lab) {}), "building the lab: the host a of the topology is a peer: between the peers are routers, firewalls, NATs and a proxy"; got != want {
		t.Errorf("a topology that is none:\n got  %s\n want %s", got, want)
	}
}

func TestAFailedSpecKeepsItsEvidence(t *testing.T) {
	directory := t.TempDir()
	t.Setenv(environment.Report, directory)
	s := run("a spec / that fails", func(s *spec) {
		lab := harness.New(s, harness.Firewalled, sock.IPv4)
		client, _ := lab.Connect(5000)
		_ = client.Write("hello")
		s.Fatalf("it went wrong")
	})
	kept := filepath.Join(directory, "failed", "a-spec-that-fails")
	for file, want := range map[string]string{
		"packets.pcapng": "\x0a\x0d\x0d\x0a", // the section header block
		"timeline.txt":   "client writes 5 bytes: done",
		"rules.txt":      "# firewall",
		"conntrack.txt":  "",
		"sockets.txt":    "ESTABLISHED",
	} {
		path := filepath.Join(kept, file)
		content, err := os.ReadFile(path)
		if err != nil || !strings.Contains(string(content), want) {
			t.Errorf("%s: %v, %q is not in it:\n%s", file, err, want, content)
		}
		if len(s.logs) != 1 || !strings.Contains(s.logs[0], path) {
			t.Errorf("the spec was not told of %s: %q", path, s.logs)
		}
	}
}

// The names of a table's entries differ at the end only, and several entries may fail.
func TestTheEvidenceOfEachEntryOfATableIsKept(t *testing.T) {
	directory := t.TempDir()
	t.Setenv(environment.Report, directory)
	for _, entry := range []string{"delay 300ms", "loss 20%"} {
		run(strings.Repeat("a long story ", 12)+entry, func(s *spec) {
			harness.New(s, harness.Direct, sock.IPv4)
			s.Fatalf("it went wrong")
		})
	}
	if n := count(t, filepath.Join(directory, "failed", "*", "timeline.txt")); n != 2 {
		t.Errorf("of two failed specs %d timelines are kept", n)
	}
}

func TestAGreenSpecKeepsNothing(t *testing.T) {
	directory := t.TempDir()
	t.Setenv(environment.Report, directory)
	s := run("green", func(s *spec) { harness.New(s, harness.Direct, sock.IPv4) })
	if n := count(t, filepath.Join(directory, "*")); n != 0 || len(s.logs) != 0 {
		t.Errorf("%d files and %d messages are left of a green spec", n, len(s.logs))
	}
}

func TestAStepThatIsLeftOutIsNotDone(t *testing.T) {
	t.Setenv(environment.LeaveOut, "detector 1")
	lab := harness.New(t, harness.Direct, sock.IPv4)
	client, _ := lab.Connect(5000)
	client.Keepalive(oracle.Keepalive{Idle: time.Second})
	if timer := client.Entry().Timer; timer != sock.NoTimer {
		t.Errorf("keepalive was to be left out, and the timer is %v", timer)
	}
	if !strings.Contains(lab.Timeline().String(), "LEFT OUT client switches keepalive on") {
		t.Errorf("the timeline does not tell that a step was left out:\n%v", lab.Timeline())
	}
}

func TestASysctlThatChangesNothingIsNoStep(t *testing.T) {
	lab := harness.New(t, harness.Direct, sock.IPv4)
	lab.Client.Sysctl("ipv4/tcp_retries2", oracle.Retries2)
	lab.Client.Sysctl("ipv4/tcp_retries2", 2)
	text := lab.Timeline().String()
	if strings.Contains(text, "tcp_retries2 to 15") || !strings.Contains(text, "client sets net/ipv4/tcp_retries2 to 2") {
		t.Errorf("the timeline should have the second alone:\n%v", text)
	}
}

// A program that opens labs without Main would leave its hosts behind when it is killed.
func TestWithoutMainNoLabIsBuilt(t *testing.T) {
	t.Setenv(environment.Private, "")
	got := complaint(harness.Direct, func(*harness.Lab) {})
	if want := "building the lab client — server: this program does not run in namespaces of its own"; !strings.HasPrefix(got, want) {
		t.Errorf("got %q, want it to begin with %q", got, want)
	}
}
