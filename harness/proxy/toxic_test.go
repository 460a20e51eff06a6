package proxy

import (
	"math"
	"testing"
	"time"
)

func TestCommand(t *testing.T) {
	for _, test := range []struct {
		toxic Toxic
		want  string
	}{
		{Latency{Delay: 50 * ms, Jitter: 5 * ms}, "toxiproxy-cli toxic add --type latency --toxicName latency_downstream --downstream --toxicity 1 --attribute jitter=5 --attribute latency=50 port-80"},
		{Timeout{Stream: Upstream, After: time.Second}, "toxiproxy-cli toxic add --type timeout --toxicName timeout_upstream --upstream --toxicity 1 --attribute timeout=1000 port-80"},
		{Bandwidth{KBps: 7}, "toxiproxy-cli toxic add --type bandwidth --toxicName bandwidth_downstream --downstream --toxicity 1 --attribute rate=7 port-80"},
		{ResetPeer{Toxicity: new(0.25)}, "toxiproxy-cli toxic add --type reset_peer --toxicName reset_peer_downstream --downstream --toxicity 0.25 --attribute timeout=0 port-80"},
		{LimitData{Bytes: 9}, "toxiproxy-cli toxic add --type limit_data --toxicName limit_data_downstream --downstream --toxicity 1 --attribute bytes=9 port-80"},
		{SlowClose{Delay: 700 * ms}, "toxiproxy-cli toxic add --type slow_close --toxicName slow_close_downstream --downstream --toxicity 1 --attribute delay=700 port-80"},
		{LimitData{Bytes: -1}, "# the Bytes -1 is negative"},
	} {
		if got := Command("port-80", test.toxic); got != test.want {
			t.Errorf("%#v:\n got %s\nwant %s", test.toxic, got, test.want)
		}
	}
}

func TestDescribe(t *testing.T) {
	for want, toxic := range map[string]Toxic{
		"Latency downstream, Delay 50ms, Jitter 5ms":     Latency{Delay: 50 * ms, Jitter: 5 * ms},
		"Timeout upstream, After 1s":                     Timeout{Stream: Upstream, After: time.Second},
		"Timeout downstream":                             Timeout{},
		"Bandwidth downstream, KBps 7":                   Bandwidth{KBps: 7},
		"ResetPeer downstream, Toxicity 0.25, After 3ms": ResetPeer{Toxicity: new(0.25), After: 3 * ms},
		"LimitData downstream, Toxicity 0, Bytes 9":      LimitData{Toxicity: new(0.0), Bytes: 9},
		"SlowClose upstream, Delay 700ms":                SlowClose{Stream: Upstream, Delay: 700 * ms},
	} {
		if got := Describe(toxic); got != want {
			t.Errorf("%#v: %q, expected %q", toxic, got, want)
		}
	}
}

func TestToxicsThatMakeNoSense(t *testing.T) {
	p := newProxy(t, newNamespace(t))
	route, err := p.Forward("route", loopback.String(), "127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		toxic Toxic
		want  string
	}{
		{Latency{Delay: -50 * ms}, "latency_downstream of route route: the Delay -50ms is negative"},
		{Latency{Delay: 1500 * time.Microsecond}, "latency_downstream of route route: the Delay 1.5ms is not a whole number of milliseconds"},
		{Latency{Delay: ms, Jitter: -ms}, "latency_downstream of route route: the Jitter -1ms is negative"},
		{Latency{Delay: ms, Jitter: 2 * ms}, "latency_downstream of route route: the Jitter of 2ms is more than the Delay of 1ms"},
		{Timeout{After: -ms}, "timeout_downstream of route route: the After -1ms is negative"},
		{Bandwidth{KBps: -1}, "bandwidth_downstream of route route: the KBps -1 is negative"},
		{Bandwidth{KBps: math.MaxInt64}, "bandwidth_downstream of route route: the KBps 9223372036854775807 is more than 92233720368547758"},
		{ResetPeer{After: 1}, "reset_peer_downstream of route route: the After 1ns is not a whole number of milliseconds"},
		{LimitData{Bytes: -1}, "limit_data_downstream of route route: the Bytes -1 is negative"},
		{SlowClose{Delay: -ms}, "slow_close_downstream of route route: the Delay -1ms is negative"},
		{SlowClose{Stream: 2}, "slow_close_stream-2 of route route: the Stream is neither Downstream nor Upstream"},
		{SlowClose{Toxicity: new(1.5)}, "slow_close_downstream of route route: the Toxicity 1.5 is not between 0 and 1"},
		{SlowClose{Toxicity: new(math.NaN())}, "slow_close_downstream of route route: the Toxicity NaN is not between 0 and 1"},
	} {
		for doing, do := range map[string]func(Toxic) error{"adding": route.Add, "adding live": route.AddLive} {
			if err := do(test.toxic); err == nil || err.Error() != doing+" toxic "+test.want {
				t.Errorf("%#v:\n got %v\nwant %s toxic %s", test.toxic, err, doing, test.want)
			}
		}
	}
}
