package main

import (
	"strings"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

// behindPreset returns what became of a session behind a preset.
func behindPreset(t *testing.T, a *answer.Answer, name string) answer.Preset {
	t.Helper()
	for _, p := range a.Presets {
		if p.Name == name {
			return p
		}
	}
	t.Fatalf("there is no preset %q", name)
	return answer.Preset{}
}

// A client that calls each 12 minutes, behind a firewall that forgets after 4: its second call is
// under way for as long as the kernel retransmits, long after twice the timeout.
func TestAPresetIsWatchedForAsLongAsTheUserSays(t *testing.T) {
	t.Parallel()
	pair := []string{"--server", built(t, "./testdata/slow") + " 5000 0s", "--client", built(t, "./testdata/calls") + " -every 12m {server}:{port}",
		"--port", "5000", "--watch", "1h", "--preset", "azure-lb"}
	a, _, _ := answerOf(t, append(pair, "--under-test", "client")...)
	p := behindPreset(t, a, "azure-lb")
	if p.How != answer.RunHere || p.Outcome != answer.Dies || !strings.Contains(p.Why, "ETIMEDOUT after 28 min") || !strings.Contains(p.Why, "its data was sent after 12 min") {
		t.Errorf("the client: %+v, expected ETIMEDOUT some %v after a request that was sent after 12 min", p, oracle.ModelTimeout(oracle.Retries2))
	}
	a, _, _ = answerOf(t, pair...)
	p = behindPreset(t, a, "azure-lb")
	if p.Outcome != answer.Dies || !strings.Contains(p.Why, "the program has not noticed") || !strings.Contains(p.Why, "the peer: ETIMEDOUT after 28 min") {
		t.Errorf("the server, whose peer has noticed: %+v", p)
	}
}

// The server's answer comes after the firewall has forgotten the flow, and is answered by RST:
// the client never learns of it, and ends by its own time-out.
func TestBothSidesOfAFlowThatIsForgottenAreWatched(t *testing.T) {
	t.Parallel()
	pair := []string{"--server", built(t, "./testdata/slow") + " 5000 10m", "--client", built(t, "./testdata/calls") + " -timeout 20m {server}:{port}",
		"--port", "5000", "--watch", "30m", "--preset", "aws-nat-gw"}
	for side, want := range map[string][]string{
		"client": {"closes after 20 min", "the peer: RST; ECONNRESET after 10 min"},
		"server": {"RST; ECONNRESET after 10 min", "the peer: closes after 20 min"},
	} {
		a, _, _ := answerOf(t, append(pair, "--under-test", side)...)
		p := behindPreset(t, a, "aws-nat-gw")
		for _, part := range want {
			if !strings.Contains(p.Why, part) {
				t.Errorf("the %s: %q does not have %q", side, p.Why, part)
			}
		}
	}
}

// Keepalive of 20 s, and a request each 10 s: what is under way silences the probes, and the
// kernel retransmits for a quarter of an hour (net/ipv4/tcp_timer.c, tcp_keepalive_timer).
func TestARowSaysWhoseDataWasUnderWay(t *testing.T) {
	t.Parallel()
	a, _, status := answerOf(t, "--server", built(t, "./testdata/slow")+" 5000 0s", "--client", built(t, "./testdata/calls")+" -keepalive {server}:{port}",
		"--port", "5000", "--watch", "30m", "--under-test", "client")
	if status != kept {
		t.Errorf("exit status %d", status)
	}
	off := fault(t, a, "host powered off")
	if len(off.UnderWay) != 1 || off.UnderWay[0].By != answer.ByProgram || off.UnderWay[0].After > answer.Of(10*time.Second) {
		t.Fatalf("the row is %+v, expected data of the program", off)
	}
	lasted := off.Kernel.After.Duration() - off.UnderWay[0].After.Duration()
	if window := oracle.GiveUp(oracle.Retries2, 204*time.Millisecond); off.Kernel.What != "ETIMEDOUT" || lasted < window.Earliest-time.Second || lasted > window.Latest+time.Second {
		t.Errorf("%s, %v after its data; expected %v", off.Words(), lasted, window)
	}
	if page := a.Text(); !strings.Contains(page, "own data  ETIMEDOUT after") || !strings.Contains(page, "keepalive is silent meanwhile") {
		t.Errorf("the page does not say so:\n%s", page)
	}
	// What the two send by themselves is under way, and their own kernels send FIN.
	if busy := fault(t, a, "host powered off, busy"); busy.Verdict != answer.Noticing || busy.Kernel == nil || busy.Kernel.What != "ETIMEDOUT" {
		t.Errorf("with data under way: %s", busy.Words())
	}
	if half := fault(t, a, "FIN, and the peer reads on"); half.Kernel == nil || half.Kernel.What != "FIN" {
		t.Errorf("FIN, and the peer reads on: %s", half.Words())
	}
}

// Neither side ever sends anything: nothing can be under way, and there is no session.
func TestTwoSilentProgramsHaveNoDataUnderWay(t *testing.T) {
	t.Parallel()
	a, _, _ := answerOf(t, "--server", built(t, "./testdata/slow")+" 5000 0s", "--client", built(t, "./testdata/once")+" {server}:{port}", "--port", "5000", "--watch", "10m")
	if busy := fault(t, a, "host powered off, busy"); busy.Verdict != answer.Unmeasured || !strings.Contains(busy.Words(), "the program sent no data within 10 min") {
		t.Errorf("with data under way: %s", busy.Words())
	}
	if a.NoSession != "nothing was exchanged: neither side sent data" || strings.Contains(a.Text(), "ends first") {
		t.Errorf("about sessions: %q\n%s", a.NoSession, a.Text())
	}
}

// A server of Go has keepalive on (package net, ListenConfig), its client has none.
func TestASessionThatOnlyThePeersProbesKeepIsToldAsSuch(t *testing.T) {
	t.Parallel()
	pair := []string{"--server", built(t, "../../fixtures/programs/echo"), "--client", built(t, "./testdata/calls") + " -every 16m {server}:{port}",
		"--port", "5000", "--watch", "1h", "--preset", "ipvs"}
	a, _, _ := answerOf(t, append(pair, "--under-test", "client")...)
	p := behindPreset(t, a, "ipvs")
	if p.Outcome != answer.Survives || p.Alone != answer.Dies || !strings.Contains(p.Why, "the program alone: no packet for 16 min") {
		t.Errorf("of the client: %+v", p)
	}
	if a.Wire.Probes != 0 || a.Wire.PeerProbes == 0 || a.Wire.PeerProbeSpacing != answer.Of(15*time.Second) {
		t.Errorf("the client sees %+v", a.Wire)
	}
	a, _, _ = answerOf(t, pair...)
	if p := behindPreset(t, a, "ipvs"); p.Outcome != answer.Survives || p.Alone != "" || !strings.Contains(p.Why, "the peer alone: no packet for 16 min") {
		t.Errorf("of the server: %+v", p)
	}
}
