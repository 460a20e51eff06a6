package recovery

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/types"
	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/fixtures/installed"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

// probing is the keepalive of a leg of nginx or HAProxy, where the proxy has it.
var probing = oracle.Keepalive{Idle: time.Minute, Interval: 10 * time.Second, Count: 3}

// side is a leg of a proxy.
type side int

const (
	neither side = iota
	towardsClient
	towardsServer
)

// startNginx starts nginx as a TCP proxy, with keepalive on one leg. Towards the client it has
// values of its own; towards the server only those of the host
// (https://nginx.org/en/docs/stream/ngx_stream_core_module.html, so_keepalive;
// ngx_stream_proxy_module.html, proxy_socket_keepalive).
func startNginx(lab *harness.Lab, entrance netip.AddrPort, probes side) {
	GinkgoHelper()
	listen, proxy := "", ""
	switch probes {
	case towardsClient:
		listen = fmt.Sprintf(" so_keepalive=%.0fs:%.0fs:%d", probing.Idle.Seconds(), probing.Interval.Seconds(), probing.Count)
	case towardsServer:
		proxy = "proxy_socket_keepalive on;"
		lab.ProxyHost().Sysctl("ipv4/tcp_keepalive_time", int(probing.Idle.Seconds()))
		lab.ProxyHost().Sysctl("ipv4/tcp_keepalive_intvl", int(probing.Interval.Seconds()))
		lab.ProxyHost().Sysctl("ipv4/tcp_keepalive_probes", probing.Count)
	}
	directory := GinkgoT().TempDir()
	config := filepath.Join(directory, "nginx.conf")
	Expect(os.WriteFile(config, fmt.Appendf(nil, `load_module /usr/lib/nginx/modules/ngx_stream_module.so;
user root; daemon off; master_process off; pid %[1]s/pid; error_log stderr;
events {}
stream { server { listen %[2]v%[3]s; proxy_pass %[4]v; %[5]s } }
`, directory, entrance, listen, lab.Server.AddressPort(port), proxy), 0o600)).To(Succeed())
	lab.ProxyHost().Start(exec.Command("nginx", "-p", directory, "-c", config)).AwaitListening(port)
}

// startHAProxy starts HAProxy as a TCP proxy, with keepalive on one leg
// (https://docs.haproxy.org/2.6/configuration.html, clitcpka, srvtcpka).
func startHAProxy(lab *harness.Lab, entrance netip.AddrPort, probes side) {
	GinkgoHelper()
	options := ""
	if leg := map[side]string{towardsClient: "clitcpka", towardsServer: "srvtcpka"}[probes]; leg != "" {
		options = fmt.Sprintf("	option %[1]s\n	%[1]s-idle %.0[2]fs\n	%[1]s-intvl %.0[3]fs\n	%[1]s-cnt %[4]d\n", leg, probing.Idle.Seconds(), probing.Interval.Seconds(), probing.Count)
	}
	config := filepath.Join(GinkgoT().TempDir(), "haproxy.cfg")
	Expect(os.WriteFile(config, fmt.Appendf(nil, `listen box
	mode tcp
	bind %v
	server it %v
%s`, entrance, lab.Server.AddressPort(port), options), 0o600)).To(Succeed())
	lab.ProxyHost().Start(exec.Command("haproxy", "-db", "-f", config)).AwaitListening(port)
}

var _ = Describe("A chain through a proxy as Debian has it", Rows("R8"), func() {
	EachFamily(func(family sock.Family) {
		for _, proxy := range []struct {
			name  string
			here  func() error
			start func(*harness.Lab, netip.AddrPort, side)
			// ends is how the server's connection ends when the client's has failed. HAProxy
			// closes it with a linger time of 0.
			ends func(Deadline) types.GomegaMatcher
		}{
			{"nginx", installed.Nginx.Here, startNginx, ReadZero},
			{"haproxy", installed.HAProxy.Here, startHAProxy, func(when Deadline) types.GomegaMatcher { return FailWith(unix.ECONNRESET, when) }},
		} {
			Context(proxy.name, Needs(proxy.here), func() {
				through := func(probes side) (lab *harness.Lab, client, server *harness.Conn) {
					lab = harness.New(GinkgoT(), chain, family)
					entrance := lab.ProxyHost().AddressPort(port)
					proxy.start(lab, entrance, probes)
					listener := lab.Server.Listen(port, 1)
					client = lab.Client.NewSocket("client")
					client.MustConnect(entrance)
					server = listener.Accept("server")
					Talk(client, server)
					time.Sleep(time.Second) // the last acknowledgement is delayed
					timers := map[bool]sock.Timer{true: sock.KeepaliveTimer, false: sock.NoTimer}
					Expect(legsOf(lab).towardsClient.Timer).To(Equal(timers[probes == towardsClient]), "towards the client")
					Expect(legsOf(lab).towardsServer.Timer).To(Equal(timers[probes == towardsServer]), "towards the server")
					return lab, client, server
				}

				It("probes neither leg by default: when the server dies, the client is not told, whatever keepalive it has itself", Waits(10*time.Minute), func() {
					lab, client, _ := through(neither)
					client.Keepalive(probing)

					lab.Apply(scenarios.PowerOff{Host: lab.Server})

					Expect(client).To(StayAlive(5 * probing.Death().Latest))
					Expect(lab.ProxyHost().Received(capture.KeepaliveProbe)).NotTo(BeEmpty(), "they are answered by the proxy")
					Expect(lab.Server.States()).To(BeEmpty())
					Expect(legsOf(lab).towardsServer.State).To(Equal(sock.Established))
				})

				It("with keepalive towards the server tells the client of the server's death, by FIN", Waits(100*time.Second), func() {
					lab, client, _ := through(towardsServer)

					lab.Apply(scenarios.PowerOff{Host: lab.Server})

					Expect(client).To(ReadZero(During(probing.Death(), proxyHeard(lab, lab.Server))))
					Expect(lab.Client.Received(capture.RST)).To(BeEmpty())
				})

				It("with keepalive towards the client tells the server of the client's death, by FIN or RST", Waits(100*time.Second), func() {
					lab, _, server := through(towardsClient)

					lab.Apply(scenarios.PowerOff{Host: lab.Client})

					Expect(server).To(proxy.ends(During(probing.Death(), proxyHeard(lab, lab.Client))))
				})
			})
		}
	})
})
