package audit

import (
	"slices"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/fixtures/presets"
	"github.com/halfopen-lab/halfopen/harness/capture"
	"github.com/halfopen-lab/halfopen/scenarios/audit/answer"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// packet is one at a second of the clock; out says that the program's host sent it.
func packet(second float64, out bool, length int, role capture.Role) capture.Packet {
	return capture.Packet{At: start.Add(time.Duration(second * 1e9)), TCP: true, ACK: true, Out: out, Length: length, Role: role}
}

func at(second float64) time.Time { return start.Add(time.Duration(second * 1e9)) }

func TestProbesAreToldFromHeartbeats(t *testing.T) {
	var packets []capture.Packet
	packets = append(packets, packet(0, false, 5, capture.Ordinary), packet(0.001, true, 0, capture.Ordinary))
	for i := range 5 {
		packets = append(packets, packet(60.9*float64(i+1), true, 0, capture.Probe), packet(60.9*float64(i+1)+0.001, false, 0, capture.Ordinary))
	}
	w := summarize(packets, at(310))
	if w.Probes != 5 || w.ProbeSpacing != answer.Seconds(61*time.Second) || w.Heartbeat != nil {
		t.Errorf("probes that are answered: %+v", w)
	}
	if w.Silence != (answer.Silence{Lasted: answer.Seconds(61 * time.Second)}) {
		t.Errorf("the longest silence is %+v", w.Silence)
	}
	if w.NoData != (answer.Silence{Lasted: answer.Seconds(310 * time.Second), Open: true}) {
		t.Errorf("the longest time without data is %+v", w.NoData)
	}
}

func TestTheSideThatBeginsOwnsTheHeartbeat(t *testing.T) {
	for _, out := range []bool{true, false} {
		packets := []capture.Packet{packet(-7, true, 40, capture.Ordinary), packet(-4, false, 300, capture.Ordinary)} // a greeting
		for i := range 4 {
			second := 30 * float64(i+1)
			packets = append(packets,
				packet(second, out, 4, capture.Ordinary), packet(second+5, out, 4, capture.Retransmitted), packet(second+5.1, !out, 0, capture.Ordinary))
		}
		h := summarize(packets, at(125)).Heartbeat
		by := map[bool]string{true: "program", false: "peer"}[out]
		if h == nil || *h != (answer.Heartbeat{By: by, Period: answer.Seconds(30 * time.Second), Count: 4, Bytes: 4}) {
			t.Errorf("sent by the program: %t: %+v", out, h)
		}
	}
}

func TestIrregularDataIsNoHeartbeat(t *testing.T) {
	var packets []capture.Packet
	for _, second := range []float64{1, 5, 60, 61.5, 200} {
		packets = append(packets, packet(second, true, 4, capture.Ordinary))
	}
	if h := summarize(packets, at(300)).Heartbeat; h != nil {
		t.Errorf("it is taken for %+v", h)
	}
}

func TestTwoMessagesAreNoHeartbeat(t *testing.T) {
	packets := []capture.Packet{packet(0, true, 4, capture.Ordinary), packet(10, true, 4, capture.Ordinary)}
	if h := summarize(packets, at(20)).Heartbeat; h != nil {
		t.Errorf("it is taken for %+v", h)
	}
}

// A server of Go probes each 15 s (package net, ListenConfig); its client calls each 16 min.
func TestWhosePacketsKeepAFlow(t *testing.T) {
	var packets []capture.Packet
	second := 0.0
	for range 4 {
		packets = append(packets, packet(second, true, 4, capture.Ordinary), packet(second+0.1, false, 4, capture.Ordinary))
		for i := range 63 {
			packets = append(packets, packet(second+15*float64(i+1), false, 0, capture.Probe), packet(second+15*float64(i+1)+0.001, true, 0, capture.Ordinary))
		}
		second += 960
	}
	w := summarize(packets, at(second))
	if w.Probes != 0 || w.PeerProbes != 4*63 || w.PeerProbeSpacing != answer.Seconds(15*time.Second) {
		t.Errorf("probes: %+v", w)
	}
	minutes := func(m float64) answer.Silence {
		return answer.Silence{Lasted: answer.Of(time.Duration(m * float64(time.Minute)))}
	}
	if w.Silence.Lasted != answer.Seconds(15*time.Second) || w.Alone != minutes(16) || w.AloneNoData != minutes(16) {
		t.Errorf("the longest silence is %+v, of the program alone %+v, without data %+v", w.Silence, w.Alone, w.AloneNoData)
	}
	if w.PeerAlone.Lasted != answer.Seconds(30*time.Second) { // a call takes the place of a probe
		t.Errorf("the peer alone is silent for %+v", w.PeerAlone)
	}
	if w.Sent != 16 || w.Received != 16 || w.Answered != 3 || w.Unanswered != 0 {
		t.Errorf("exchanged: %+v", w)
	}
	ipvs, _ := presets.Find("ipvs")
	if b := behind(ipvs, w, &answer.Settings{}, time.Hour); b.Outcome != answer.Survives || b.Alone != answer.Dies {
		t.Errorf("behind IPVS, whose timeout is 15 min: %+v", b)
	}
	// With keepalive of its own, which the peer's probes have kept back, it survives alone.
	if b := behind(ipvs, w, &answer.Settings{Keepalive: true, Idle: answer.Of(5 * time.Minute), Interval: answer.Of(75 * time.Second), Count: 9}, time.Hour); b.Outcome != answer.Survives || b.Alone != "" {
		t.Errorf("behind IPVS, with keepalive: %+v", b)
	}
}

// NATS pings each two minutes, and a fixture does not know its protocol.
func TestHeartbeatsThatNobodyAnswersAreNoSession(t *testing.T) {
	greeting := []capture.Packet{packet(0, true, 300, capture.Ordinary), packet(0.1, false, 12, capture.Ordinary)}
	pings := append(slices.Clone(greeting), packet(120, true, 6, capture.Ordinary), packet(240, true, 6, capture.Ordinary))
	answered := append(slices.Clone(pings), packet(243, false, 6, capture.Ordinary)) // late
	for _, c := range []struct {
		name     string
		packets  []capture.Packet
		programs bool
		want     string
	}{
		{"nothing", []capture.Packet{packet(0, true, 0, capture.Ordinary)}, false, "nothing was exchanged: neither side sent data (--conversation, --send)"},
		{"nothing, of two programs", []capture.Packet{packet(0, true, 0, capture.Ordinary)}, true, "nothing was exchanged: neither side sent data"},
		{"a greeting", greeting[:1], false, "nothing was exchanged: the peer sent no data (--conversation, --send)"},
		{"a greeting that is answered", greeting, false, ""},
		{"pings", pings, false, "the peer answered none of the program's 2 heartbeats (--conversation, --send)"},
		{"pings, and the peer has said nothing", slices.Concat(greeting[:1], pings[2:]), false, "the peer answered none of the program's 2 heartbeats (--conversation, --send)"},
		{"pings to a program that does not answer them", pings, true, ""},
		{"a ping that is answered", answered, false, ""},
	} {
		if got := noSession(summarize(c.packets, at(300)), c.programs); got != c.want {
			t.Errorf("%s: %q, expected %q", c.name, got, c.want)
		}
	}
}

func TestTheEndOfAConnectionEndsTheSilenceOfBothSides(t *testing.T) {
	end := packet(75, true, 0, capture.Ordinary)
	end.FIN = true
	w := summarize([]capture.Packet{packet(0, false, 5, capture.Ordinary), packet(0.1, true, 5, capture.Ordinary), end}, at(75))
	if w.Alone != w.Silence || w.PeerAlone != w.Silence || w.Silence.Open {
		t.Errorf("the longest silence is %+v, of the program alone %+v, of the peer alone %+v", w.Silence, w.Alone, w.PeerAlone)
	}
}
