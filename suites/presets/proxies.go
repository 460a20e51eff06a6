package presets

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/halfopen-lab/halfopen/fixtures"
	"github.com/halfopen-lab/halfopen/fixtures/installed"
	"github.com/halfopen-lab/halfopen/fixtures/presets"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/peer"
	"github.com/halfopen-lab/halfopen/harness/sock"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

const port = 5000

var _ = Describe("The preset of a proxy", Rows("F11"), func() {
	DescribeTable("closes both connections after its timeout; fixtures.Relay plays it", func(p presets.Preset) {
		lab := harness.New(GinkgoT(), harness.Proxied, sock.IPv4)
		entrance := lab.ProxyHost().AddressPort(port)
		relay := lab.ProxyHost().Start(fixtures.Relay{To: lab.Server.AddressPort(port), Idle: p.Idle}.ServerCommand(entrance))
		relay.Await(peer.Ready)

		expectCloseOfBoth(lab, entrance, p)
	}, entries(presets.CloseBoth))

	It("nginx-stream, the program itself with its defaults: closes both connections after 10m0s", Waits(605*time.Second), Needs(installed.Nginx.Here), func() {
		nginx, _ := presets.Find("nginx-stream")
		lab := harness.New(GinkgoT(), harness.Proxied, sock.IPv4)
		entrance := lab.ProxyHost().AddressPort(port)
		directory := GinkgoT().TempDir()
		config := filepath.Join(directory, "nginx.conf")
		Expect(os.WriteFile(config, fmt.Appendf(nil, `load_module /usr/lib/nginx/modules/ngx_stream_module.so;
user root; daemon off; master_process off; pid %[1]s/pid; error_log stderr;
events {}
stream { server { listen %[2]v; proxy_pass %[3]v; } }
`, directory, entrance, lab.Server.AddressPort(port)), 0o600)).To(Succeed())
		lab.ProxyHost().Start(exec.Command("nginx", "-p", directory, "-c", config)).AwaitListening(port)

		expectCloseOfBoth(lab, entrance, nginx)
	})

	It("haproxy, the program itself without timeouts: keeps an idle connection for a day", Waits(24*time.Hour), Needs(installed.HAProxy.Here), func() {
		const day = 24 * time.Hour
		haproxy, _ := presets.Find("haproxy")
		Expect(haproxy.Idle).To(BeZero(), "no timeout of its own")
		lab := harness.New(GinkgoT(), harness.Proxied, sock.IPv4)
		entrance := lab.ProxyHost().AddressPort(port)
		config := filepath.Join(GinkgoT().TempDir(), "haproxy.cfg")
		Expect(os.WriteFile(config, fmt.Appendf(nil, `listen box
	mode tcp
	bind %v
	server it %v
`, entrance, lab.Server.AddressPort(port)), 0o600)).To(Succeed())
		program := lab.ProxyHost().Start(exec.Command("haproxy", "-db", "-f", config))
		program.AwaitListening(port)
		client, server := through(lab, entrance)
		client.Keepalive(oracle.Default())

		Expect(client).To(StayAlive(day))
		Expect(server).To(BeInState(sock.Established))
		Expect(lab.Client.Sent(capture.KeepaliveProbe)).NotTo(BeEmpty())
		Expect(lab.Server.Received(capture.KeepaliveProbe)).To(BeEmpty(), "the proxy does not forward them")
		Talk(client, server)
		Expect(program.Signal(0)).To(Succeed(), "haproxy is still running")
	})
})

// through connects the client to the server through a proxy, and lets them talk.
func through(lab *harness.Lab, entrance netip.AddrPort) (client, server *harness.Conn) {
	GinkgoHelper()
	listener := lab.Server.Listen(port, 1)
	client = lab.Client.NewSocket("client")
	client.MustConnect(entrance)
	server = listener.Accept("server")
	Talk(client, server)
	return client, server
}

// expectCloseOfBoth expects that the proxy closes both connections of an idle client after
// its timeout. If a source says that keepalive probes do not prevent that, both ends probe.
func expectCloseOfBoth(lab *harness.Lab, entrance netip.AddrPort, p presets.Preset) {
	GinkgoHelper()
	began := time.Now()
	client, server := through(lab, entrance)
	talked := time.Now()
	if p.ProbesRefresh == presets.No {
		client.Keepalive(probes(p))
		server.Keepalive(probes(p))
	}

	AtOnce(
		func() { Expect(client).To(ReadZero(During(oracle.Around(p.Idle), began).StartingBy(talked))) },
		func() { Expect(server).To(ReadZero(During(oracle.Around(p.Idle), began).StartingBy(talked))) },
	)
	if p.ProbesRefresh == presets.No {
		Expect(lab.Client.Sent(capture.KeepaliveProbe)).NotTo(BeEmpty())
		Expect(lab.Server.Sent(capture.KeepaliveProbe)).NotTo(BeEmpty())
	}
}
