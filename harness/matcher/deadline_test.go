package matcher_test

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/matcher"
	"github.com/halfopen-lab/halfopen/harness/oracle"
)

func TestADeadlineSaysItself(t *testing.T) {
	if got := matcher.Within(1500 * ms).String(); got != "within 1.5s from now" {
		t.Errorf("Within(1.5s) says %q", got)
	}
	if got := matcher.During(oracle.Window{Earliest: s, Latest: 2 * s}, time.Now()).String(); got != "between 1s and 2s after the instant given" {
		t.Errorf("During(1s to 2s) says %q", got)
	}
}

// It waits half as long again, but at least 0.5 s and at most 2 s.
func TestAMatcherWaitsLongerThanTheWindowToTellLateFromNever(t *testing.T) {
	for latest, want := range map[time.Duration]time.Duration{
		0: 500 * ms, 100 * ms: 600 * ms, 3 * s: 4500 * ms, 10 * s: 12 * s,
	} {
		clock(t, func(t *testing.T) {
			began := time.Now()
			if ok, err := matcher.ReadZero(matcher.Within(latest)).Match(client()); ok || err != nil {
				t.Errorf("nothing to read: %v, %v", ok, err)
			}
			if waited := time.Since(began); waited != want {
				t.Errorf("Within(%v) waited %v, expected %v", latest, waited, want)
			}
		})
	}
}

func TestAWindowIsCountedFromItsInstantNotFromTheMatcher(t *testing.T) {
	clock(t, func(t *testing.T) {
		when := window()
		time.Sleep(150 * ms)
		says(t, matcher.FailWith(unix.ECONNRESET, when), reading(60*ms, 0, unix.ECONNRESET), true,
			"Expected client not to fail with ECONNRESET\n  between 200ms and 300ms after the instant given;\nreading it gave\n  ECONNRESET, after 210ms: in time\n[timeline: reads: ECONNRESET]")
	})
}

// Within bounds the wait only: a packet that came before the matcher started, or an event that a
// program reported before, is in time.
func TestWithinIsNeverTooEarly(t *testing.T) {
	clock(t, func(t *testing.T) {
		p := &program{named: named{name: "the server's program"}, event: "closed", at: time.Now()}
		h := passing(false, 0)
		time.Sleep(ms)
		says(t, matcher.Announce("closed", matcher.Within(s)), p, true,
			"Expected the server's program not to report \"closed\"\n  within 1s from now;\nit first did so 1ms before: in time\n[timeline: ]")
		says(t, matcher.HaveReceived(1, capture.RST, matcher.Within(s)), h, true,
			"Expected the client not to have received 1 × RST\n  within 1s from now;\n1 had come after 0s\n  in  to-server: 192.0.2.20:5000 > 192.0.2.10:40000 RST seq 0 win 0 length 0, 1ms before: in time\n[timeline: ]")
	})
}

func TestAnEventBeforeTheInstantOfADuringIsTooEarly(t *testing.T) {
	clock(t, func(t *testing.T) {
		h := passing(false, 0)
		time.Sleep(ms)
		says(t, matcher.HaveReceived(1, capture.RST, matcher.During(oracle.Window{Latest: s}, time.Now())), h, false,
			"Expected the client to have received 1 × RST\n  within 1s after the instant given;\n1 had come after 0s\n  in  to-server: 192.0.2.20:5000 > 192.0.2.10:40000 RST seq 0 win 0 length 0, 1ms before: too early\n[timeline: ]")
	})
}

// A test cannot make the hypervisor pause the machine, so Paused pretends it. The instants
// are both edges of what the pause excuses.
func TestAMachineThatStoodStillMayBeLaterByAsMuchButNotEarlier(t *testing.T) {
	for _, c := range []struct {
		after  time.Duration
		inTime bool
		text   string
	}{
		{199 * ms, false, "after 199ms: too early"},
		{300 * ms, true, "after 300ms: in time"},
		{301 * ms, true, "after 301ms: in time, because the hypervisor paused the machine for 90ms"},
		{390 * ms, true, "after 390ms: in time, because the hypervisor paused the machine for 90ms"},
		{391 * ms, false, "after 391ms: too late, even for a machine that the hypervisor paused for 90ms"},
	} {
		clock(t, func(t *testing.T) {
			to := "to"
			if c.inTime {
				to = "not to"
			}
			says(t, matcher.Happen(window().Paused(90*ms)), time.Now().Add(c.after), c.inTime,
				"Expected it "+to+" have happened\n  between 200ms and 300ms after the instant given;\nit happened\n  "+c.text)
		})
	}
}
