package audit

import (
	"testing"
	"time"

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
