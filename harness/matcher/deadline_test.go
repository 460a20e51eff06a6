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
	if got := matcher.Within(1500 * ms).String(); got != "within 1.5s since now" {
		t.Errorf("Within(1.5s) says %q", got)
	}
	if got := matcher.During(oracle.Window{Earliest: s, Latest: 2 * s}, time.Now()).String(); got != "between 1s and 2s since the instant given" {
		t.Errorf("During(1s to 2s) says %q", got)
	}
}

// Half as long again, but at least half a second and at most two.
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
			"Expected client not to fail with ECONNRESET\n  between 200ms and 300ms since the instant given;\nreading it gave\n  ECONNRESET, after 210ms: in time.\n[timeline: reads: ECONNRESET]")
	})
}

// Within bounds the wait; a packet that was quicker than the spec, or an event
// that a program has announced already, is in time.
func TestWithinIsNeverTooEarly(t *testing.T) {
	clock(t, func(t *testing.T) {
		p := &program{named: named{name: "the server's program"}, event: "closed", at: time.Now()}
		h := passing(false, 0)
		time.Sleep(ms)
		says(t, matcher.Announce("closed", matcher.Within(s)), p, true,
			"Expected the server's program not to report \"closed\"\n  within 1s since now;\nit did, after -1ms: in time.\n[timeline: ]")
		says(t, matcher.HaveReceived(1, capture.RST, matcher.Within(s)), h, true,
			"Expected the client not to have received 1 × RST\n  within 1s since now;\nthere were 1 after 0s\n  in  to-server: 192.0.2.20:5000 > 192.0.2.10:40000 RST seq 0 win 0 length 0, after -1ms: in time\n[timeline: ]")
	})
}

func TestAnEventBeforeTheInstantOfADuringIsTooEarly(t *testing.T) {
	clock(t, func(t *testing.T) {
		h := passing(false, 0)
		time.Sleep(ms)
		says(t, matcher.HaveReceived(1, capture.RST, matcher.During(oracle.Window{Latest: s}, time.Now())), h, false,
			"Expected the client to have received 1 × RST\n  within 1s since the instant given;\nthere were 1 after 0s\n  in  to-server: 192.0.2.20:5000 > 192.0.2.10:40000 RST seq 0 win 0 length 0, after -1ms: too early\n[timeline: ]")
	})
}

// No hypervisor takes a processor away because a test wants it to: that the machine stood
// still is pretended, at both edges of what it excuses.
func TestAMachineThatStoodStillMayBeLaterByAsMuchButNotEarlier(t *testing.T) {
	for _, c := range []struct {
		after  time.Duration
		inTime bool
		text   string
	}{
		{199 * ms, false, "after 199ms: too early"},
		{300 * ms, true, "after 300ms: in time"},
		{301 * ms, true, "after 301ms: in time, for the machine stood still for 90ms"},
		{390 * ms, true, "after 390ms: in time, for the machine stood still for 90ms"},
		{391 * ms, false, "after 391ms: too late, also for a machine that stood still for 90ms"},
	} {
		clock(t, func(t *testing.T) {
			to := "to"
			if c.inTime {
				to = "not to"
			}
			says(t, matcher.Happen(window().StoodStill(90*ms)), time.Now().Add(c.after), c.inTime,
				"Expected it "+to+" have happened\n  between 200ms and 300ms since the instant given;\nit happened\n  "+c.text)
		})
	}
}
