package oracle

import "time"

// The kernel's bounds of the retransmission timeout (include/net/tcp.h,
// TCP_RTO_MIN and TCP_RTO_MAX), and its first value (RFC 6298 §2.1).
const (
	rtoMin     = 200 * time.Millisecond
	rtoMax     = 120 * time.Second
	rtoInitial = time.Second
)

// The kernel's defaults of tcp_retries2 and tcp_syn_retries (Documentation/networking/
// ip-sysctl.rst).
const (
	Retries2   = 15
	SYNRetries = 6
)

// OrphanRetries is how often the kernel sends again for a connection that no program
// holds, for a value of tcp_orphan_retries: 0, the kernel's own, stands for 8
// (net/ipv4/tcp_timer.c, tcp_orphan_retries).
func OrphanRetries(setting int) int {
	if setting == 0 {
		return 8
	}
	return setting
}

// FinTimeout is the kernel's default of tcp_fin_timeout (tcp(7)).
const FinTimeout = time.Minute

// TimeWait is how long the side that closed first remembers the connection
// (include/net/tcp.h, TCP_TIMEWAIT_LEN): no setting moves it.
const TimeWait = 60 * time.Second

// ModelTimeout is how long unanswered retransmissions must have gone on before the
// kernel gives up: the time that many of them take from TCP_RTO_MIN on, doubling
// (net/ipv4/tcp_timer.c, tcp_model_timeout; 924.6 s for the default 15).
func ModelTimeout(retries int) time.Duration {
	total, rto := time.Duration(0), rtoMin
	for range retries + 1 {
		total += rto
		rto = min(2*rto, rtoMax)
	}
	return total
}

// GiveUp is when a connection whose data nobody acknowledges ends with ETIMEDOUT,
// counted from sending the data, for a value of tcp_retries2 and the
// retransmission timeout in force (tcpi_rto, not yet backed off).
//
// One RTO after the data goes a tail loss probe, one RTO later the first
// retransmission (net/ipv4/tcp_output.c, tcp_schedule_loss_probe). From that on
// the kernel counts, and gives up the first time that the timer fires with
// ModelTimeout behind it (net/ipv4/tcp_timer.c, retransmits_timed_out). For some
// values the lateness of the timers decides which time that is, and the window is
// wide: 3 and 4 are such values, 2 and 5 are not.
//
// This is for a path whose round trip is short, where the loss probe is due together
// with the retransmission timeout; GiveUpWithProbe is for any.
func GiveUp(retries2 int, rto time.Duration) Window { return GiveUpWithProbe(retries2, rto, rto) }

// GiveUpWithProbe is GiveUp where the tail loss probe goes out after probe (LossProbe).
func GiveUpWithProbe(retries2 int, rto, probe time.Duration) Window {
	return span(giveUp(probe, retries2, rto, 1), giveUp(probe, retries2, rto, 1.125))
}

// LossProbe is how long after a single segment its tail loss probe goes out, for a
// smoothed round-trip time (tcpi_rtt) and the retransmission timeout in force: two
// round trips and TCP_RTO_MIN, for an acknowledgement that is delayed, but never
// later than the retransmission (net/ipv4/tcp_output.c, tcp_schedule_loss_probe).
func LossProbe(srtt, rto time.Duration) time.Duration { return min(2*srtt+rtoMin, rto) }

// giveUp plans with timers that wait so many times what they should while the
// kernel counts, and gives back when the last one is due.
func giveUp(probe time.Duration, retries2 int, rto time.Duration, slowness float64) time.Duration {
	at, elapsed := probe+rto, time.Duration(0)
	for float64(elapsed)*slowness < float64(ModelTimeout(retries2)) {
		rto = min(2*rto, rtoMax)
		at, elapsed = at+rto, elapsed+rto
	}
	return at
}

// GiveUpUnreachable is GiveUp where a router answers every retransmission with
// ICMP network unreachable: each answer takes the doubling of the RTO back
// (RFC 6069; tcp_ld_RTO_revert), so that the timer keeps firing every RTO or two.
func GiveUpUnreachable(retries2 int, rto time.Duration) Window {
	enough := 2*rto + ModelTimeout(retries2)
	return span(enough, enough+2*rto)
}

// UserTimeout is when TCP_USER_TIMEOUT ends a connection whose data nobody
// acknowledges, counted from sending the data: the kernel counts from the first
// retransmission, two RTOs later (GiveUp), and cuts the last timer short
// (net/ipv4/tcp_timer.c, tcp_clamp_rto_to_user_timeout).
func UserTimeout(timeout, rto time.Duration) Window {
	return Around(2*rto + timeout)
}

// ZeroWindowUserTimeout is when TCP_USER_TIMEOUT ends a connection whose peer
// answers every window probe but does not open its window, counted from when the
// window closed: the kernel counts from the first probe, one RTO later
// (net/ipv4/tcp_timer.c, tcp_probe_timer).
func ZeroWindowUserTimeout(timeout, rto time.Duration) Window {
	return Around(rto + timeout)
}

// ZeroWindowGiveUp is when a connection ends with ETIMEDOUT whose peer vanished with
// its window closed, counted from the peer's last answer: tcp_retries2 probes in a
// row had none. Answered is how many probes the peer had answered before. Each
// probe, answered or not, doubles the interval until it has doubled tcp_retries2
// times (net/ipv4/tcp_timer.c, tcp_probe_timer; net/ipv4/tcp_output.c,
// tcp_send_probe0). The rto is tcpi_rto.
func ZeroWindowGiveUp(retries2, answered int, rto time.Duration) Window {
	at := time.Duration(0)
	for unanswered := range retries2 + 1 {
		interval := max(rto, rtoMin)
		for range min(answered+unanswered, retries2) {
			interval = min(2*interval, rtoMax)
		}
		at += interval
	}
	return Around(at)
}

// SYNs are the times at which a connect(2) that nobody answers sends its SYNs, and
// the last is when it gives up with ETIMEDOUT: linear is tcp_syn_linear_timeouts
// (0 where the kernel has none), retries is tcp_syn_retries
// (Documentation/networking/ip-sysctl.rst; the linear ones come on top). With few
// retries the kernel does not use all of them up: it gives up as soon as the time
// has passed that the retries take without the linear ones (net/ipv4/tcp_timer.c,
// tcp_write_timeout and tcp_model_timeout).
func SYNs(linear, retries int) []time.Duration {
	times := []time.Duration{0}
	enough := time.Duration(0)
	for i := range retries + 1 {
		enough += min(rtoInitial<<i, rtoMax)
	}
	at, rto := time.Duration(0), rtoInitial
	for i := 0; i <= linear+retries && at < enough; i++ {
		at += rto
		times = append(times, at)
		if i >= linear {
			rto = min(2*rto, rtoMax)
		}
	}
	return times
}
