package oracle

import "time"

// The kernel's bounds of the retransmission timeout (include/net/tcp.h, TCP_RTO_MIN, TCP_RTO_MAX)
// and its initial value (RFC 6298 §2.1).
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

// OrphanRetries returns how often the kernel retransmits for a connection that no program holds,
// given tcp_orphan_retries: the default 0 means 8 (net/ipv4/tcp_timer.c, tcp_orphan_retries).
func OrphanRetries(setting int) int {
	if setting == 0 {
		return 8
	}
	return setting
}

// FinTimeout is the kernel's default of tcp_fin_timeout (tcp(7)).
const FinTimeout = time.Minute

// TimeWait is how long the side that closed first keeps the connection in TIME_WAIT
// (include/net/tcp.h, TCP_TIMEWAIT_LEN). No setting changes it.
const TimeWait = 60 * time.Second

// ModelTimeout returns how long the kernel retransmits without an answer before it gives up: the
// time that so many retries take if the first waits TCP_RTO_MIN and each further one twice as
// long (net/ipv4/tcp_timer.c, tcp_model_timeout). It is 924.6 s for the default of 15.
func ModelTimeout(retries int) time.Duration {
	total, rto := time.Duration(0), rtoMin
	for range retries + 1 {
		total += rto
		rto = min(2*rto, rtoMax)
	}
	return total
}

// GiveUp returns when a connection ends with ETIMEDOUT because its data is not acknowledged,
// counted from sending the data. The arguments are tcp_retries2 and the retransmission timeout in
// force (tcpi_rto, before any backoff).
//
// The kernel sends a tail loss probe one RTO after the data, and the first retransmission one RTO
// later (net/ipv4/tcp_output.c, tcp_schedule_loss_probe). It counts from that retransmission, and
// gives up when its timer first fires after ModelTimeout (net/ipv4/tcp_timer.c,
// retransmits_timed_out). For some values, such as 3 and 4, the lateness of the timers decides
// which firing that is, and the window is wide; for others, such as 2 and 5, it is narrow.
//
// GiveUp is for a path with a short round trip, where the loss probe is due together with the
// retransmission timeout. GiveUpWithProbe is for any path.
func GiveUp(retries2 int, rto time.Duration) Window { return GiveUpWithProbe(retries2, rto, rto) }

// GiveUpWithProbe returns what GiveUp does, for a tail loss probe that is sent after probe
// (LossProbe).
func GiveUpWithProbe(retries2 int, rto, probe time.Duration) Window {
	return span(giveUp(probe, retries2, rto, 1), giveUp(probe, retries2, rto, 1.125))
}

// LossProbe returns how long after a single segment the kernel sends its tail loss probe. The
// arguments are the smoothed round-trip time (tcpi_rtt) and the retransmission timeout in force
// (tcpi_rto). The probe waits two round trips and TCP_RTO_MIN, in case the acknowledgement is
// delayed, but never longer than the RTO (net/ipv4/tcp_output.c, tcp_schedule_loss_probe).
func LossProbe(srtt, rto time.Duration) time.Duration { return min(2*srtt+rtoMin, rto) }

// giveUp returns when the last timer is due if every timer runs late by the factor slowness.
func giveUp(probe time.Duration, retries2 int, rto time.Duration, slowness float64) time.Duration {
	at, elapsed := probe+rto, time.Duration(0)
	for float64(elapsed)*slowness < float64(ModelTimeout(retries2)) {
		rto = min(2*rto, rtoMax)
		at, elapsed = at+rto, elapsed+rto
	}
	return at
}

// GiveUpUnreachable returns what GiveUp does, for a path on which a router answers every
// retransmission with ICMP network unreachable. Each answer reverts the doubling of the RTO
// (RFC 6069; net/ipv4/tcp_ipv4.c, tcp_ld_RTO_revert), so the timer fires every one or two RTOs.
func GiveUpUnreachable(retries2 int, rto time.Duration) Window {
	counted := 2*rto + ModelTimeout(retries2)
	return span(counted, counted+2*rto)
}

// UserTimeout returns when TCP_USER_TIMEOUT ends a connection whose data is not acknowledged,
// counted from sending the data. The kernel counts from the first retransmission, two RTOs later
// (see GiveUp), and shortens its last timer to match (net/ipv4/tcp_timer.c,
// tcp_clamp_rto_to_user_timeout).
func UserTimeout(timeout, rto time.Duration) Window {
	return Around(2*rto + timeout)
}

// ZeroWindowUserTimeout returns when TCP_USER_TIMEOUT ends a connection whose peer answers every
// window probe but keeps its window closed, counted from when the window closed. The kernel counts
// from the first probe, one RTO later (net/ipv4/tcp_timer.c, tcp_probe_timer).
func ZeroWindowUserTimeout(timeout, rto time.Duration) Window {
	return Around(rto + timeout)
}

// ZeroWindowGiveUp returns when a connection ends with ETIMEDOUT because its peer vanished while
// its window was closed, counted from the peer's last answer: tcp_retries2 probes in a row stayed
// unanswered. answered is how many probes the peer answered before that; rto is tcpi_rto. Each
// probe, answered or not, doubles the interval, at most tcp_retries2 times (net/ipv4/tcp_timer.c,
// tcp_probe_timer; net/ipv4/tcp_output.c, tcp_send_probe0).
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

// SYNs returns when an unanswered connect(2) sends its SYNs, counted from the first; the last
// element is when it gives up with ETIMEDOUT. linear is tcp_syn_linear_timeouts, 0 where the
// kernel has no such setting; retries is tcp_syn_retries. The linear ones come in addition
// (Documentation/networking/ip-sysctl.rst). With few retries the kernel does not send all of
// them: it gives up once the time is over that the retries alone would take
// (net/ipv4/tcp_timer.c, tcp_write_timeout, tcp_model_timeout).
func SYNs(linear, retries int) []time.Duration {
	times := []time.Duration{0}
	limit := time.Duration(0)
	for i := range retries + 1 {
		limit += min(rtoInitial<<i, rtoMax)
	}
	at, rto := time.Duration(0), rtoInitial
	for i := 0; i <= linear+retries && at < limit; i++ {
		at += rto
		times = append(times, at)
		if i >= linear {
			rto = min(2*rto, rtoMax)
		}
	}
	return times
}
