// The test binary is process 1 of the guests, where the race detector does not run.

//go:build !race

package tests_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness/ladder"
	"github.com/halfopen-lab/halfopen/scenarios/explore"
	"github.com/halfopen-lab/halfopen/scenarios/explore/tests"
)

// opened returns a test that is ready to be explored.
func opened(t *testing.T, test tests.Test) *tests.Subject {
	t.Helper()
	s, err := tests.Open(t.Context(), test)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// struck returns a run that faults strike so long after its first packet.
func struck(at time.Duration, faults ...string) explore.Run {
	r := explore.Run{Seed: 1}
	for _, f := range faults {
		r.Strikes = append(r.Strikes, explore.Strike{Fault: f, At: at})
	}
	return r
}

// tried makes runs in one guest.
func tried(t *testing.T, s *tests.Subject, keep string, batch ...explore.Run) []explore.Outcome {
	t.Helper()
	outcomes, err := s.Try(t.Context(), batch, keep)
	if err != nil {
		t.Fatal(err)
	}
	return outcomes
}

// The client's request is on its way to the server 45 ms after the first packet, and the server
// answers 5 ms later. With a time after which the client tries again, the first order has arrived,
// and the client does not know.
const inBetween = 45 * time.Millisecond

func TestARetryThatOrdersTwiceIsFoundAndACarefulOneIsNot(t *testing.T) {
	t.Chdir("../../../docs/examples/orders")
	const flushed, reset, dropped = "state flushed, RST to the sender", "RST to both ends", "drop in both directions"
	healed := struck(inBetween, dropped)
	healed.Strikes[0].Healed = time.Second
	runs := []explore.Run{struck(0), struck(inBetween, flushed), struck(inBetween, reset), struck(inBetween, dropped), healed, struck(10*time.Second, flushed)}

	hasty := opened(t, tests.Test{Run: "^TestHasty$"})
	const twice = "[{assertion orders_test.go:42 tea was ordered 2 times}]"
	want := []string{"[]", twice, twice, "[]", "[]", "[]"}
	first := tried(t, hasty, "", runs...)
	for i, o := range first {
		if got := fmt.Sprint(o.Violations); got != want[i] || o.Trouble != "" {
			t.Errorf("run %d, %v: %s %s, expected %s", i, runs[i].Strikes, got, o.Trouble, want[i])
		}
	}
	if again := tried(t, hasty, "", runs...); fmt.Sprint(again) != fmt.Sprint(first) {
		t.Errorf("the same batch has other outcomes: %v and %v", first, again)
	}

	careful := opened(t, tests.Test{Run: "^TestCareful$"})
	for i, o := range tried(t, careful, "", runs...) {
		if len(o.Violations) > 0 || o.Trouble != "" {
			t.Errorf("run %d of the careful client, %v: %+v", i, runs[i].Strikes, o)
		}
	}
}

func TestTheQuietRunHasWhatHappensSinceTheFirstPacket(t *testing.T) {
	t.Chdir("../../../docs/examples/orders")
	s := opened(t, tests.Test{Run: "^TestHasty$"})
	q, err := s.Quiet(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if len(q.Events) < 10 || q.Events[0] != (explore.Event{What: "the client sends SYN"}) || q.Lasted < 2*time.Second || q.Lasted > 3*time.Second {
		t.Errorf("the quiet run lasts %v and has %v", q.Lasted, q.Events)
	}
	var words []string
	for i, e := range q.Events {
		words = append(words, e.What)
		if i > 0 && e.At < q.Events[i-1].At {
			t.Errorf("%v comes after %v", e, q.Events[i-1])
		}
	}
	for _, want := range []string{"SYN reaches the firewall", "the server sends SYN,ACK", "server: a program accepts 192.0.2.10:"} {
		if !strings.Contains(strings.Join(words, "\n"), want) {
			t.Errorf("the quiet run has no %q: %q", want, words)
		}
	}
	if again, err := s.Quiet(t.Context(), 1); err != nil || fmt.Sprint(again) != fmt.Sprint(q) {
		t.Errorf("the same seed has another quiet run: %v, %v", again, err)
	}
	faults, err := s.DefaultFaults(t.Context(), 1)
	if err != nil || len(faults) != 5 {
		t.Errorf("a lab with a firewall is struck by %q, %v", faults, err)
	}
}

func TestOfSeveralLabsTheFirstIsExplored(t *testing.T) {
	s := opened(t, tests.Test{Packages: []string{"./testdata/subjects"}, Run: "^TestHasParts$"})
	q, err := s.Quiet(t.Context(), 1)
	if want := "testdata/subjects TestHasParts, the first of its 2 labs, flags"; err != nil || !strings.Contains(q.Of, want) || q.Lasted > time.Second {
		t.Errorf("%+v, %v, expected %s", q, err, want)
	}
}

func TestTheStoryOfARunIsKept(t *testing.T) {
	s := opened(t, tests.Test{Packages: []string{"./testdata/subjects"}, Run: "^TestWaitsForever$", Limit: time.Hour})
	keep := filepath.Join(t.TempDir(), "kept")
	o := tried(t, s, keep, struck(45*time.Millisecond, "drop in both directions"))[0]
	if want := "[{the test ends it had not ended at its limit: it waited at subjects_test.go:"; !strings.HasPrefix(fmt.Sprint(o.Violations), want) {
		t.Errorf("%+v, expected %s", o, want)
	}
	content, err := os.ReadFile(filepath.Join(keep, ladder.File))
	if err != nil {
		t.Fatal(err)
	}
	drawn, err := ladder.Parse(content)
	if err != nil {
		t.Fatal(err)
	}
	var steps []string
	for _, r := range drawn.Rungs {
		if r.Kind == "step" {
			steps = append(steps, r.Text)
		}
	}
	if len(steps) != 1 || steps[0] != "packets in both directions are dropped silently" {
		t.Errorf("the ladder has the steps %q", steps)
	}
	for _, name := range []string{"timeline.txt", "packets.pcapng"} {
		if _, err := os.Stat(filepath.Join(keep, name)); err != nil {
			t.Error(err)
		}
	}
}

func TestWhatIsFoundInATest(t *testing.T) {
	for _, c := range []struct {
		test tests.Test
		want string
	}{
		{tests.Test{Run: "^TestPanics$"}, "[{nothing panics panic: nobody thought of read tcp 192.0.2.10:"},
		{tests.Test{Run: "^TestHasParts$/^second$"}, "[{assertion subjects_test.go:58 the second greeting: read tcp 192.0.2.10:"},
		{tests.Test{Run: "^TestSpecs$"}, "[{assertion subjects_test.go:81 Unexpected error: "},
	} {
		t.Run(c.test.Run, func(t *testing.T) {
			c.test.Packages = []string{"./testdata/subjects"}
			s := opened(t, c.test)
			outcomes := tried(t, s, "", struck(0), struck(60*time.Millisecond, "RST to both ends"))
			if fmt.Sprint(outcomes[0]) != "{[] }" || !strings.HasPrefix(fmt.Sprint(outcomes[1].Violations), c.want) || len(outcomes[1].Violations) != 1 {
				t.Errorf("%+v, expected %s", outcomes, c.want)
			}
		})
	}
}

func TestATestThatCannotBeExploredSaysWhy(t *testing.T) {
	for _, c := range []struct{ directory, run, want string }{
		{"subjects", "TestOpensNoLab", "TestOpensNoLab, without a fault: the test opens no lab, and an exploration strikes the first lab that it opens (harness.New, harness.Open)"},
		{"subjects", "TestIsSkipped", "TestIsSkipped, without a fault: the test was skipped: subjects_test.go:66: not today"},
		{"subjects", "TestFails", "TestFails fails without a fault, on cables that take 10ms (--cable-delay): always"},
		{"unlinked", "TestKnowsNoFaults", `TestKnowsNoFaults, without a fault: the test binary has no faults: import _ "github.com/halfopen-lab/halfopen/scenarios" in the test`},
	} {
		t.Run(c.run, func(t *testing.T) {
			s := opened(t, tests.Test{Packages: []string{"./testdata/" + c.directory}, Run: "^" + c.run + "$"})
			if q, err := s.Quiet(t.Context(), 1); err == nil || err.Error() != c.want {
				t.Errorf("%v, %v, expected %s", q, err, c.want)
			}
		})
	}
}

func TestAFaultThatTheLabCannotHaveIsTrouble(t *testing.T) {
	s := opened(t, tests.Test{Packages: []string{"./testdata/subjects"}, Run: "^TestWaitsForever$"})
	want := "the firewall loses its state, then RST to the next sender: the topology client — server has no firewall: use Firewalled, NATed or ProxiedBehindFirewall"
	if o := tried(t, s, "", struck(0, "state flushed, RST to the sender"))[0]; o.Trouble != want || len(o.Violations) > 0 {
		t.Errorf("%+v, expected %s", o, want)
	}
}

func TestWhatCannotBeIsRefusedBeforeAnythingSlow(t *testing.T) {
	for _, c := range []struct {
		test tests.Test
		want string
	}{
		{tests.Test{}, "name one test: --run '^TestName$', or --focus 'text of a Ginkgo spec'"},
		{tests.Test{Run: "("}, `"(" is not a regular expression`},
		{tests.Test{Run: "Test", CableDelay: time.Minute}, "a cable that takes 1m0s: choose up to 1s (--cable-delay)"},
		{tests.Test{Run: "Test", Limit: -time.Second}, "a limit of -1s: choose a time such as 3h (--limit)"},
		{tests.Test{Run: "Test", Flags: []string{"-bench=."}}, "-bench makes no sense here: benchmarks measure real time: run them with go test"},
		{tests.Test{Run: "Test", Environment: []string{"X"}}, `"X" is not NAME=VALUE (--env)`},
		{tests.Test{Run: "Test", Memory: 1}, "1 MiB of memory"},
	} {
		if err := c.test.Check(); err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%+v: %v, expected %s", c.test, err, c.want)
		}
	}
	for fault, want := range map[string]string{
		"process killed":                `"process killed" cannot strike a test: its client and its server are one process: power off the host, or drop packets (--fault)`,
		"process kiled":                 `there is no fault "process kiled"`,
		"idle timeout of 350 s, silent": `"idle timeout of 350 s, silent" cannot strike a test: it acts on flows that begin later: let the test apply it (lab.Apply) (--fault)`,
	} {
		if err := tests.CheckFaults([]string{fault}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v, expected %s", fault, err, want)
		}
	}
}
