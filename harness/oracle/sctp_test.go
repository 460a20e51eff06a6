package oracle_test

import (
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness/oracle"
)

// Measured on Linux 6.1: an idle association whose peer fell silent after it had answered a
// HEARTBEAT or a message, so the RTO was at its minimum. The silence began up to one heartbeat
// interval and a half RTO after the last answer.
func TestSilenceOfAnAssociationIsNoticedWhenAKernelDid(t *testing.T) {
	quicker := oracle.DefaultSCTP()
	quicker.Heartbeat = time.Second
	tight := quicker
	tight.PathRetransmissions, tight.AssociationRetransmissions = 3, 3
	tuned := tight
	tuned.RTOInitial, tuned.RTOMin, tuned.RTOMax = 500*time.Millisecond, 200*time.Millisecond, time.Second
	for _, c := range []struct {
		name            string
		settings        oracle.SCTP
		path            [2]float64 // seconds
		association     [2]float64
		pathNeverFailed bool
	}{
		{"the defaults", oracle.DefaultSCTP(), [2]float64{114, 145}, [2]float64{567, 579}, false},
		{"heartbeats each second", quicker, [2]float64{}, [2]float64{370, 390}, false},
		{"and few retransmissions", tight, [2]float64{}, [2]float64{19, 21}, true},
		{"and a short RTO", tuned, [2]float64{}, [2]float64{4.3, 4.6}, true},
	} {
		window := c.settings.AssociationFailure(c.settings.RTOMin)
		for _, measured := range c.association {
			if d := time.Duration(measured * float64(time.Second)); !window.Contains(d) {
				t.Errorf("%s: a kernel gave the association up after %v; the oracle says %v", c.name, d, window)
			}
		}
		window = c.settings.PathFailure(c.settings.RTOMin)
		if never := window == (oracle.Window{}); never != c.pathNeverFailed {
			t.Errorf("%s: the path fails %v, expected never: %v", c.name, window, c.pathNeverFailed)
		}
		if c.path[0] == 0 {
			continue
		}
		for _, measured := range c.path {
			if d := time.Duration(measured * float64(time.Second)); !window.Contains(d) {
				t.Errorf("%s: a kernel reported the path after %v; the oracle says %v", c.name, d, window)
			}
		}
	}
}

// Calculated by hand: 30.5 + 30.5 s until the first failure, 1+2+4+8+16 s until the sixth, then
// five waits of 30 s and half of 60 s; with the random parts 31.5 + 31.5 s, 3+6+12+24+48 s, and
// five waits of 30 and 90 s.
func TestTheWindowsOfTheDefaultsAreWhatTheRulesAddUpTo(t *testing.T) {
	s := time.Second
	path := oracle.DefaultSCTP().PathFailure(s)
	if want := 92 * s; path.Earliest != want-4*time.Millisecond || path.Latest != 156*s+156*s/8 {
		t.Errorf("the path fails %v, expected between %v and %v and an eighth", path, want, 156*s)
	}
	association := oracle.DefaultSCTP().AssociationFailure(s)
	if want := 392 * s; association.Earliest != want-4*time.Millisecond || association.Latest != 756*s+756*s/8 {
		t.Errorf("the association fails %v, expected between %v and %v and an eighth", association, want, 756*s)
	}
}

// Measured on Linux 6.1: the first of two paths, which carried a message every 200 ms until it
// dropped all packets, was UNREACHABLE after 84 s, and after 2.1 s with shorter settings.
// Calculated by hand for the defaults: 1 s until the retransmission, 0.5 s until the first
// HEARTBEAT, and 1+2+4+8+16 s until the sixth failure; with the random parts three times as long.
func TestAPathWhoseDataIsLostIsGivenUpWhenAKernelDid(t *testing.T) {
	s := time.Second
	tuned := oracle.SCTP{Heartbeat: s, PathRetransmissions: 2, AssociationRetransmissions: 10,
		RTOInitial: s, RTOMin: s / 5, RTOMax: s}
	for _, c := range []struct {
		settings oracle.SCTP
		measured time.Duration
	}{{oracle.DefaultSCTP(), 84 * s}, {tuned, 2100 * time.Millisecond}} {
		if window := c.settings.PathFailureInFlight(c.settings.RTOMin); !window.Contains(c.measured) {
			t.Errorf("a kernel reported the path with %v after %v; the oracle says %v", c.settings, c.measured, window)
		}
	}
	window := oracle.DefaultSCTP().PathFailureInFlight(s)
	if earliest, latest := 32500*time.Millisecond, 95500*time.Millisecond; window.Earliest != earliest-4*time.Millisecond || window.Latest != latest+latest/8 {
		t.Errorf("the path fails %v, expected between %v and %v and an eighth", window, earliest, latest)
	}
}

func TestTheNextHeartbeatComesAfterItsIntervalAndOneRTO(t *testing.T) {
	window := oracle.DefaultSCTP().NextHeartbeat(time.Minute)
	if window.Earliest != time.Minute-4*time.Millisecond || window.Latest != 2*time.Minute+15*time.Second {
		t.Errorf("the next HEARTBEAT goes out %v, expected after 30 s and between half and one and a half minutes", window)
	}
}

func TestConnectingIntoSilenceTakesAsLongAsAKernelDid(t *testing.T) {
	ms := time.Millisecond
	for _, c := range []struct {
		initial, most time.Duration
		attempts      int
		measured      time.Duration
	}{
		{3 * time.Second, time.Minute, 8, 342 * time.Second},
		{3 * time.Second, time.Second, 2, 5100 * ms},
		{100 * ms, time.Minute, 3, 1600 * ms},
	} {
		if window := oracle.InitFailure(c.initial, c.most, c.attempts); !window.Contains(c.measured) {
			t.Errorf("a kernel gave up after %v; the oracle says %v", c.measured, window)
		}
	}
}

func TestSettingsAreNamedOneByOne(t *testing.T) {
	if got := (oracle.SCTP{Heartbeat: time.Second, AssociationRetransmissions: 3}).String(); got != "heartbeat 1s, association retransmissions 3" {
		t.Errorf("the settings are %q", got)
	}
	if got := (oracle.SCTP{}).String(); got != "the system's values" {
		t.Errorf("no settings are %q", got)
	}
}
