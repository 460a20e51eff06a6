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
		It("sends one request, fails over after 2 Tw, as RFC 3539 wants, and closes after 4; connected again it waits for three answers, which it asks for one after another", Waits(5*time.Minute), func() {
			lab := harness.New(GinkgoT(), harness.Firewalled, family)
			server := lab.StartServer(port, fixtures.Diameter{})
			client := startFreeDiameter(lab)
			Expect(server).To(Announce("DWA", Within(2*tw)), "it lives")
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
				"RFC 3539 has Tw between them")
		})
	})
})

// freeDiameter is what Debian's freeDiameterd says of its peer's state.
type freeDiameter struct {
	mu     sync.Mutex
	begun  []byte // of a line
	states []peerState
}

type peerState struct {
	name string // "SUSPECT"
	at   time.Time
}

// transition is how it prints that a peer's state changes.
var transition = regexp.MustCompile(`'STATE_\w+'\s+-> '?STATE_(\w+)'?.*\n`)

// Write takes what the program prints.
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

// entered is when the peer entered a state, which the name of RFC 3539 or of the program
// says.
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

// startFreeDiameter starts freeDiameterd on the client, with the server for a peer and
// RFC 3539's timers, which are its own too.
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
