package diameter

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/halfopen-lab/halfopen/fixtures"
	"github.com/halfopen-lab/halfopen/fixtures/installed"
	"github.com/halfopen-lab/halfopen/harness"
	"github.com/halfopen-lab/halfopen/harness/capture"
	. "github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/harness/sock"
	"github.com/halfopen-lab/halfopen/scenarios"
	. "github.com/halfopen-lab/halfopen/suites/spec"
)

var _ = Describe("freeDiameter as the client of a server that vanishes", Rows("H6"), Needs(fixture), Needs(installed.FreeDiameter.Here), func() {
	EachFamily(func(family sock.Family) {
		It("sends one request, fails over after 2 Tw, as RFC 3539 demands, and closes after 4 Tw; when it is connected again it waits for three answers, and requests them one right after another", Waits(5*time.Minute), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			server := lab.StartServer(port, fixtures.Diameter{})
			client := startFreeDiameter(lab)
			Expect(server).To(Announce("DWA", Within(2*tw)), "the server lives")
			drop := scenarios.SilentDrop{}

			lab.Apply(drop)
			heard := lab.LastData(lab.Client)
			before := len(said(server, "DWR"))
			sent := len(lab.Client.Sent(capture.All(capture.Data, capture.Original)))

			connection := lab.Client.TableEntry(lab.Client.Sent(capture.Data)[0].Src, lab.Server.AddressPort(port))
			Expect(connection).To(EnterState(sock.FinWait1, During(oracle.FreeDiameterClose(tw), heard)))
			closed := time.Now()
			Expect(client.entered("SUSPECT")).To(HaveExactElements(Happen(During(oracle.WatchdogFailover(tw), heard))))
			Expect(lab.Client.Sent(capture.All(capture.Data, capture.Original))[sent:]).To(HaveLen(1), "the one DWR")

			lab.Heal(drop)

			time.Sleep(time.Until(closed.Add(tc + 5*time.Second)))
			Expect(client.entered("OPEN")).To(HaveLen(2))
			again := client.entered("OPEN")[1]
			Expect(again).To(near(closed, tc))
			Expect(said(server, "DWR")[before:]).To(HaveExactElements(
				BeTemporally("~", again, time.Second), BeTemporally("~", again, time.Second), BeTemporally("~", again, time.Second)),
				"RFC 3539 demands Tw between them")
		})
	})
})

// freeDiameter collects what Debian's freeDiameterd prints about the state of its peer.
type freeDiameter struct {
	mu     sync.Mutex
	begun  []byte // the beginning of a line that is not complete
	states []peerState
}

type peerState struct {
	name string // "SUSPECT"
	at   time.Time
}

// transition matches the line that freeDiameterd prints when a peer's state changes.
var transition = regexp.MustCompile(`'STATE_\w+'\s+-> '?STATE_(\w+)'?.*\n`)

// Write implements io.Writer. It takes what the program prints.
func (f *freeDiameter) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.begun = append(f.begun, p...)
	for {
		found := transition.FindSubmatchIndex(f.begun)
		if found == nil {
			return len(p), nil
		}
		f.states = append(f.states, peerState{string(f.begun[found[2]:found[3]]), time.Now()})
		f.begun = f.begun[found[1]:]
	}
}

// entered returns when the peer entered a state. The name of the state is that of RFC 3539 or
// of the program.
func (f *freeDiameter) entered(state string) (at []time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.states {
		if s.name == state {
			at = append(at, s.at)
		}
	}
	return at
}

// startFreeDiameter starts freeDiameterd on the client, with the server as its peer and with
// the timers of RFC 3539, which are also its defaults.
func startFreeDiameter(lab *harness.Lab) *freeDiameter {
	GinkgoHelper()
	config := filepath.Join(GinkgoT().TempDir(), "freeDiameter.conf")
	Expect(os.WriteFile(config, fmt.Appendf(nil, `Identity = "client.example.net";
Realm = "example.net";
SecPort = 0;
No_SCTP;
ListenOn = "%v";
TcTimer = %d;
TwTimer = %d;
ConnectPeer = "server.example.net" { ConnectTo = "%v"; No_TLS; Port = %d; };
`, lab.Client.Address(), int(tc.Seconds()), int(tw.Seconds()), lab.Server.Address(), port), 0o600)).To(Succeed())
	cmd := exec.Command("freeDiameterd", "-c", config)
	f := &freeDiameter{}
	cmd.Stdout = f
	lab.Client.Start(cmd)
	return f
}
