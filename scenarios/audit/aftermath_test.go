package audit

import (
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/harness/oracle"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

func TestDataIsUnderWayUntilItIsAcknowledged(t *testing.T) {
	sent := func(second float64, seq uint32) capture.Packet {
		return capture.Packet{At: at(second), TCP: true, ACK: true, Out: true, Seq: seq, Length: 10}
	}
	heard := func(second float64, ack uint32) capture.Packet {
		return capture.Packet{At: at(second), TCP: true, ACK: true, Ack: ack}
	}
	repeated := sent(3, 110)
	repeated.Role = capture.Retransmitted
	reset := heard(4, 120)
	reset.RST = true
	for _, c := range []struct {
		name    string
		packets []capture.Packet
		want    float64 // the second; negative: nothing is under way
	}{
		{"none", []capture.Packet{heard(0, 100)}, -1},
		{"acknowledged", []capture.Packet{sent(1, 100), heard(1.1, 110)}, -1},
		{"the second is not acknowledged", []capture.Packet{sent(1, 100), heard(1.1, 110), sent(2, 110), repeated}, 2},
		{"acknowledged in part", []capture.Packet{sent(1, 100), heard(1.1, 105)}, 1},
		{"a reset acknowledges nothing", []capture.Packet{heard(0, 110), sent(2, 110), reset}, 2},
		{"sequence numbers start anew", []capture.Packet{heard(0, 0xfffffffb), sent(1, 0xfffffffb), heard(1.1, 5)}, -1},
	} {
		got, ok := unacknowledged(c.packets)
		if ok != (c.want >= 0) || ok && !got.Equal(at(c.want)) {
			t.Errorf("%s: under way since %v (%t), expected second %v", c.name, got, ok, c.want)
		}
	}
}

// The kernel's default keepalive gives up after 7200 s and nine probes 75 s apart (tcp(7)).
func TestWhatComesLaterIsDerivedFromTheSettings(t *testing.T) {
	system := oracle.Default()
	s := &settings{Settings: &answer.Settings{Keepalive: true, Idle: answer.Of(system.Idle), Interval: answer.Of(system.Interval), Count: system.Count}}
	silent := &trial{fault: fault{silent: true}}
	l := silent.later(s)
	if l == nil || l.What != learnsTimeout || l.Earliest != answer.Of(7875*time.Second) || l.Latest != answer.Of(7875*time.Second*9/8) {
		t.Errorf("derived: %+v", l)
	}
	resets := &trial{fault: fault{resets: true}}
	if l := resets.later(s); l == nil || *l != (answer.Later{What: learnsRST, Earliest: answer.Of(2 * time.Hour), Latest: answer.Of(2*time.Hour + 15*time.Minute)}) {
		t.Errorf("a host that is rebooted: %+v", l)
	}
	if l := (&trial{}).later(s); l != nil {
		t.Errorf("a peer that is stopped, whose kernel answers: %+v", l)
	}
	s.Keepalive = false
	if l := silent.later(s); l != nil {
		t.Errorf("without keepalive: %+v", l)
	}
	if l := silent.later(nil); l != nil {
		t.Errorf("with unknown settings: %+v", l)
	}
}

// A minute of real time is too short for the kernel's keepalive.
func TestARowThatWasWatchedForTooShortSaysWhatComesLater(t *testing.T) {
	began := time.Unix(0, 0)
	system := oracle.Default()
	c := &connection{number: 1, heard: began, settings: &settings{Settings: &answer.Settings{Keepalive: true, Idle: answer.Of(system.Idle), Interval: answer.Of(system.Interval), Count: system.Count}}}
	o := outcome{trial: &trial{fault: fault{name: hostPoweredOff, dead: true, silent: true}, plan: &plan{}, began: began, struck: began, over: began.Add(time.Minute),
		chosen: c, met: []*connection{c}, told: []story{{connection: c}}}}
	want := "nothing within 60 s; derived from its settings: ETIMEDOUT after 7875 to 8859 s"
	if f := o.judge(nil); f.Words() != want {
		t.Errorf("%q, expected %q", f.Words(), want)
	}
	o.trial.underWay = map[string]time.Time{answer.ByProgram: began} // which silences keepalive
	if f := o.judge(nil); f.Later != nil {
		t.Errorf("with data under way: %q", f.Words())
	}
}

func TestAFirewallThatHadNoTimeToForgetIsNotMeasured(t *testing.T) {
	began := time.Unix(0, 0)
	for watched, want := range map[time.Duration]string{
		4 * time.Minute:  "not measured: it was watched for 240 s, and the firewall forgets after 350 s (--watch)",
		12 * time.Minute: "alive",
	} {
		c := &connection{number: 1, heard: began}
		o := outcome{trial: &trial{fault: fault{idle: 350 * time.Second, before: func(*trial) {}}, plan: &plan{}, began: began, struck: began, over: began.Add(watched),
			chosen: c, met: []*connection{c}, told: []story{{connection: c}}}}
		if f := o.judge(nil); f.Words() != want {
			t.Errorf("watched for %v: %q, expected %q", watched, f.Words(), want)
		}
	}
}
