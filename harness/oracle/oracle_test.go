package oracle_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/halfopen-lab/halfopen/harness/oracle"
)

const (
	ms = time.Millisecond
	s  = time.Second
)

// Measured on Linux 6.18 with every packet dropped. Cloudflare's measurements with
// TCP_USER_TIMEOUT of 2019 agree with the last three ("When TCP sockets refuse to die").
func TestKeepaliveEndsWhenTheKernelDoes(t *testing.T) {
	for _, c := range []struct {
		settings oracle.Keepalive
		probes   []time.Duration
		measured time.Duration
	}{
		{oracle.Keepalive{Idle: 5 * s, Interval: 3 * s, Count: 3}, []time.Duration{5 * s, 8 * s, 11 * s}, 14400 * ms},
		{oracle.Keepalive{Idle: 5 * s, Interval: 3 * s, Count: 3, UserTimeout: 2 * s}, []time.Duration{5 * s}, 8300 * ms},
		{oracle.Keepalive{Idle: 5 * s, Interval: 3 * s, Count: 3, UserTimeout: 10 * s}, []time.Duration{5 * s, 8 * s}, 11400 * ms},
		{oracle.Keepalive{Idle: 5 * s, Interval: 3 * s, Count: 3, UserTimeout: 30 * s},
			[]time.Duration{5 * s, 8 * s, 11 * s, 14 * s, 17 * s, 20 * s, 23 * s, 26 * s, 29 * s}, 32800 * ms},
	} {
		if got := c.settings.Probes(); !slices.Equal(got, c.probes) {
			t.Errorf("%v: probes at %v, expected %v", c.settings, got, c.probes)
		}
		if got := c.settings.Death(); !got.Contains(c.measured) {
			t.Errorf("%v: the end is expected %v, and was measured after %v", c.settings, got, c.measured)
		}
	}
}

// The fifth timer, due after 5 s, is at most an eighth late: 5.625 s.
func TestALateTimerMayReachTheUserTimeoutBeforeTheNextOne(t *testing.T) {
	k := oracle.Keepalive{Idle: s, Interval: s, UserTimeout: 5500 * ms}
	if got, want := k.Death(), (oracle.Window{Earliest: 5496 * ms, Latest: 6750 * ms}); got != want {
		t.Errorf("%v: the end is expected %v, expected %v", k, got, want)
	}
	k.UserTimeout = 5700 * ms
	if got, want := k.Death(), oracle.Around(6*s); got != want {
		t.Errorf("%v: the end is expected %v, expected %v", k, got, want)
	}
}

// tcp(7): about two hours and eleven minutes.
func TestDefaultKeepaliveTakes7875Seconds(t *testing.T) {
	if got := oracle.Default().Death(); got != oracle.Around(7875*s) {
		t.Errorf("the end is expected %v", got)
	}
}

// Documentation/networking/ip-sysctl.rst has 924.6 s for 15; the others are calculated by hand
// from tcp_model_timeout.
func TestModelTimeout(t *testing.T) {
	for retries, want := range map[int]time.Duration{3: 3000 * ms, 5: 12600 * ms, 6: 25400 * ms, 8: 102200 * ms, 10: 324600 * ms, 15: 924600 * ms} {
		if got := oracle.ModelTimeout(retries); got != want {
			t.Errorf("tcp_retries2 %d: %v, expected %v", retries, got, want)
		}
	}
}

// Measured on Linux 6.18, whose minimum RTO is 204 ms with CONFIG_HZ=250. Cloudflare measured
// 940 s for 15 on Linux 5.2.
func TestGiveUpWhenTheKernelDoes(t *testing.T) {
	for retries, measured := range map[int]time.Duration{5: 13300 * ms, 6: 26600 * ms, 15: 940 * s} {
		if got := oracle.GiveUp(retries, 204*ms); !got.Contains(measured) {
			t.Errorf("tcp_retries2 %d: the end is expected %v, and was measured after %v", retries, got, measured)
		}
	}
}

// Documentation/networking/ip-sysctl.rst: 127 s with 6 retries; 131 s and 11 SYNs
// with four linear timeouts before them.
func TestSYNs(t *testing.T) {
	if got, want := oracle.SYNs(0, 6), []time.Duration{0, 1 * s, 3 * s, 7 * s, 15 * s, 31 * s, 63 * s, 127 * s}; !slices.Equal(got, want) {
		t.Errorf("without linear timeouts: %v, expected %v", got, want)
	}
	got := oracle.SYNs(4, 6)
	if want := 131 * s; len(got) != 12 || got[11] != want {
		t.Errorf("with four linear timeouts: %v, expected 11 SYNs and the end after %v", got, want)
	}
	// Measured on Linux 6.18: the seventh SYN is not sent.
	if got, want := oracle.SYNs(4, 2), []time.Duration{0, 1 * s, 2 * s, 3 * s, 4 * s, 5 * s, 7 * s}; !slices.Equal(got, want) {
		t.Errorf("two retries and four linear timeouts: %v, expected %v", got, want)
	}
}

func TestAcceptQueueHoldsTheBacklogAndOneMore(t *testing.T) {
	for _, c := range []struct{ backlog, somaxconn, want int }{
		{0, 4096, 1}, {2, 4096, 3}, {5000, 4096, 4097}, {100, 3, 4},
	} {
		if got := oracle.AcceptQueue(c.backlog, c.somaxconn); got != c.want {
			t.Errorf("listen(%d) with somaxconn %d: %d, expected %d", c.backlog, c.somaxconn, got, c.want)
		}
	}
}

// Measured on Linux 6.18: listen(3) with and without cookies, listen(100) with
// tcp_max_syn_backlog = 8.
func TestSYNQueueHoldsTheBacklogAndOneMoreOrLess(t *testing.T) {
	for _, c := range []struct {
		backlog, maxSYNBacklog int
		cookies                bool
		want                   int
	}{
		{0, 4096, false, 1}, {3, 4096, false, 4}, {3, 4096, true, 4},
		{100, 8, false, 7}, {100, 8, true, 101}, {5000, 4096, false, 3073}, {5000, 4096, true, 4097},
	} {
		if got := oracle.SYNQueue(c.backlog, 4096, c.maxSYNBacklog, c.cookies); got != c.want {
			t.Errorf("listen(%d), tcp_max_syn_backlog %d, cookies %v: %d, expected %d", c.backlog, c.maxSYNBacklog, c.cookies, got, c.want)
		}
	}
}

func TestSilenceIsNeverNoticedBeforeTheTimeout(t *testing.T) {
	w := oracle.Silence(3*s, s)
	for d, want := range map[time.Duration]bool{3*s - 1: false, 3 * s: true, 4 * s: true, 4500 * ms: true, 4501 * ms: false} {
		if got := w.Contains(d); got != want {
			t.Errorf("%v after the last message: %v, expected %v (%v)", d, got, want, w)
		}
	}
}

// Counted by hand: a client that dies every 2 s and is detected after 4.5 s leaves the deaths of
// now, 2 s ago and 4 s ago; with a detection after 4 s the oldest has just been detected.
func TestGhostsAreThoseThatDiedLessThanTheDetectionTimeAgo(t *testing.T) {
	for _, c := range []struct {
		every, detection time.Duration
		want             int
	}{
		{2 * s, 4500 * ms, 3}, {2 * s, 4 * s, 2}, {2 * s, s, 1}, {2 * s, 0, 0},
		{time.Minute, 7875 * s, 132}, // the kernel's own keepalive
	} {
		if got := oracle.Ghosts(c.every, c.detection); got != c.want {
			t.Errorf("a death every %v, noticed after %v: %d ghosts, expected %d", c.every, c.detection, got, c.want)
		}
	}
}

func TestToleranceIsAnEighthAndAtLeastOneTick(t *testing.T) {
	for planned, want := range map[time.Duration]time.Duration{0: 4 * ms, 32 * ms: 4 * ms, 8 * s: s} {
		if got := oracle.Tolerance(planned); got != want {
			t.Errorf("Tolerance(%v) is %v, expected %v", planned, got, want)
		}
	}
}

func TestWindowSaysItself(t *testing.T) {
	if got := oracle.Around(s).String(); got != "between 996ms and 1.125s" {
		t.Errorf("Around(1s) says %q", got)
	}
	if got := (oracle.Window{Latest: s}).String(); got != "within 1s" {
		t.Errorf("a window from zero says %q", got)
	}
}

func TestValidateNamesTheValueAndTheLimit(t *testing.T) {
	for _, c := range []struct {
		settings oracle.Keepalive
		want     string // empty: the kernel takes it
	}{
		{oracle.Keepalive{}, ""},
		{oracle.Keepalive{Idle: oracle.MaxKeepIdle, Interval: oracle.MaxKeepInterval, Count: oracle.MaxKeepCount}, ""},
		{oracle.Keepalive{Idle: 40000 * s}, "idle time 11h6m40s is more than the kernel allows, 32767 s"},
		{oracle.Keepalive{Interval: -s}, "interval -1s is negative"},
		{oracle.Keepalive{Idle: 1500 * ms}, "idle time 1.5s is not a whole number of seconds"},
		{oracle.Keepalive{Count: 128}, "count 128 is not between 0 and 127"},
		{oracle.Keepalive{UserTimeout: -s}, "user timeout -1s is negative"},
		{oracle.Keepalive{UserTimeout: time.Microsecond}, "user timeout 1µs is not a whole number of milliseconds"},
	} {
		err := c.settings.Validate()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%#v: %v, expected %q", c.settings, err, c.want)
		}
	}
}

// Measured on Linux 6.18 and 6.1: four unanswered probes after one that was answered. Each interval
// is twice the one before, except for the last.
func TestAZeroWindowIsGivenUpAfterTheProbesThatNobodyAnswers(t *testing.T) {
	base := 200 * time.Millisecond
	for _, c := range []struct {
		retries, answered int
		after             time.Duration
	}{
		{4, 0, (1 + 2 + 4 + 8 + 16) * base},
		{4, 1, (2 + 4 + 8 + 16 + 16) * base},
		{4, 9, 5 * 16 * base},
		{15, 0, 924600 * time.Millisecond}, // as many as retransmissions take: ip-sysctl.rst, tcp_retries2
		{15, 99, 16 * 120 * time.Second},   // TCP_RTO_MAX
	} {
		w := oracle.ZeroWindowGiveUp(c.retries, c.answered, base)
		if want := oracle.Around(c.after); w != want {
			t.Errorf("tcp_retries2 %d after %d answers: %v, expected %v", c.retries, c.answered, w, want)
		}
	}
}

// RFC 8985 §7.2, with the kernel's TCP_RTO_MIN as the delayed acknowledgement: two round trips
// and 200 ms, but at most the retransmission timeout.
func TestATailLossProbeIsDueBeforeTheRetransmission(t *testing.T) {
	for _, c := range []struct{ srtt, rto, want time.Duration }{
		{500 * time.Millisecond, 3 * s, 1200 * time.Millisecond},
		{500 * time.Millisecond, s, s},
		{50 * time.Microsecond, 200 * time.Millisecond, 200 * time.Millisecond},
	} {
		if got := oracle.LossProbe(c.srtt, c.rto); got != c.want {
			t.Errorf("round trip %v, timeout %v: %v, expected %v", c.srtt, c.rto, got, c.want)
		}
	}
}

// The probe comes first, then one timeout, then doublings. With a timeout of 1 s,
// ModelTimeout(5) = 12.6 s are over 2 + 4 + 8 s after the first retransmission, and not yet after
// 2 + 4 s, however late the timers are.
func TestGivingUpCountsFromTheLossProbe(t *testing.T) {
	if got, want := oracle.GiveUpWithProbe(5, s, s/2), oracle.Around(15500*time.Millisecond); got != want {
		t.Errorf("a probe after 0.5 s and a timeout of 1 s: %v, expected %v", got, want)
	}
}
