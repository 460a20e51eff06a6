package oracle

import (
	"fmt"
	"strings"
	"time"
)

// SCTP has the settings that decide when the kernel gives up a path of an association, and the
// association itself (RFC 9260 §8, §16). A zero field leaves the system's value.
type SCTP struct {
	Heartbeat                  time.Duration // HB.interval: time between HEARTBEATs on an idle path, to which the kernel adds about an RTO
	PathRetransmissions        int           // Path.Max.Retrans: failures in a row that a path survives
	AssociationRetransmissions int           // Association.Max.Retrans: failures in a row that the association survives
	RTOInitial, RTOMin, RTOMax time.Duration // the retransmission timeout before the first measurement, and its bounds
}

// DefaultSCTP returns the kernel's defaults (Documentation/networking/ip-sysctl.rst, net.sctp.*).
// Those of RFC 9260 §16 are the same, except for an RTO.Initial of 1 s.
func DefaultSCTP() SCTP {
	return SCTP{Heartbeat: 30 * time.Second, PathRetransmissions: 5, AssociationRetransmissions: 10,
		RTOInitial: 3 * time.Second, RTOMin: time.Second, RTOMax: time.Minute}
}

// String returns the settings that are not zero: "heartbeat 1s, path retransmissions 3"; "the
// system's values" if all are.
func (s SCTP) String() string {
	var texts []string
	for _, field := range []struct {
		name  string
		value any
		set   bool
	}{
		{"heartbeat", s.Heartbeat, s.Heartbeat != 0},
		{"path retransmissions", s.PathRetransmissions, s.PathRetransmissions != 0},
		{"association retransmissions", s.AssociationRetransmissions, s.AssociationRetransmissions != 0},
		{"initial RTO", s.RTOInitial, s.RTOInitial != 0},
		{"minimum RTO", s.RTOMin, s.RTOMin != 0},
		{"maximum RTO", s.RTOMax, s.RTOMax != 0},
	} {
		if field.set {
			texts = append(texts, fmt.Sprintf("%s %v", field.name, field.value))
		}
	}
	if len(texts) == 0 {
		return "the system's values"
	}
	return strings.Join(texts, ", ")
}

// heartbeatFloor is the shortest wait for the next HEARTBEAT, before its random part
// (net/sctp/transport.c, sctp_transport_timeout).
const heartbeatFloor = 200 * time.Millisecond

// PathFailure returns when the kernel reports the only path of an idle association unreachable,
// counted from the last HEARTBEAT that was answered. rto is the retransmission timeout at that
// time. No setting may be zero. The zero Window means never: the association ends first.
//
// The kernel's rules differ from RFC 9260 §8.3. It waits for HB.interval and between a half and
// one and a half RTO until the next HEARTBEAT. The first unanswered HEARTBEAT is no failure yet:
// the next timer detects it. Each timer from then on is a failure and doubles the RTO. Between
// the first failure and the failure of the path the waits are without HB.interval (RFC 7829,
// pf_retrans 0). The path fails with more failures than PathRetransmissions
// (net/sctp/sm_sideeffect.c, sctp_do_8_2_transport_strike).
func (s SCTP) PathFailure(rto time.Duration) Window {
	early, _ := s.silence(rto, 0)
	latest, _ := s.silence(rto, rto)
	if latest == 0 {
		return Window{}
	}
	return Window{Earliest: early - grain, Latest: late(latest)}
}

// AssociationFailure returns when an idle association with one path ends with ETIMEDOUT, counted
// as for PathFailure: at the first timer after AssociationRetransmissions failures
// (net/sctp/sm_statefuns.c, sctp_sf_sendbeat_8_3). Once the path has failed, the waits include
// HB.interval again.
func (s SCTP) AssociationFailure(rto time.Duration) Window {
	_, early := s.silence(rto, 0)
	_, latest := s.silence(rto, rto)
	return Window{Earliest: early - grain, Latest: late(latest)}
}

// silence returns when the path and when the association fails, counted from the last HEARTBEAT
// that was answered. The kernel adds a random time of up to one RTO to every wait: random is 0 for
// the least and rto for the most. down is zero if the path outlives the association.
func (s SCTP) silence(rto, random time.Duration) (down, over time.Duration) {
	return s.unanswered(s.wait(s.Heartbeat, rto, random), rto, random, 0)
}

// unanswered returns what silence does, given when the first unanswered HEARTBEAT is sent and how
// many failures there were before it.
func (s SCTP) unanswered(at, rto, random time.Duration, failures int) (down, over time.Duration) {
	for interval := s.Heartbeat; ; {
		switch {
		case failures > s.PathRetransmissions:
			interval = s.Heartbeat
		case failures > 0 && failures < s.PathRetransmissions:
			interval = 0
		}
		at += s.wait(interval, rto, random)
		if failures >= s.AssociationRetransmissions {
			return down, at
		}
		failures++
		rto, random = min(2*rto, s.RTOMax), min(2*random, s.RTOMax)
		if failures > s.PathRetransmissions && down == 0 {
			down = at
		}
	}
}

// wait returns the time from one HEARTBEAT to the next (net/sctp/transport.c,
// sctp_transport_timeout); random is the random part of it.
func (s SCTP) wait(interval, rto, random time.Duration) time.Duration {
	return max(interval+rto/2, heartbeatFloor) + random
}

// NextHeartbeat returns when the kernel sends the next HEARTBEAT on a path that is idle or has
// failed, counted from the last one.
func (s SCTP) NextHeartbeat(rto time.Duration) Window {
	return Window{Earliest: s.wait(s.Heartbeat, rto, 0) - grain, Latest: late(s.wait(s.Heartbeat, rto, rto))}
}

// PathFailureInFlight returns when the kernel reports a path unreachable because its data is not
// acknowledged, counted from sending the data. The association has another path, which takes the
// data over. The expiry of T3-rtx is the first failure; from then on the kernel only probes the
// path. PathRetransmissions must be more than 1.
func (s SCTP) PathFailureInFlight(rto time.Duration) Window {
	s.AssociationRetransmissions = s.PathRetransmissions + 1 // answers on the other path reset the count
	down := func(random time.Duration) time.Duration {
		failed := rto
		probed := failed + s.wait(0, rto, random)
		d, _ := s.unanswered(probed, min(2*rto, s.RTOMax), min(2*random, s.RTOMax), 1)
		return d
	}
	return Window{Earliest: down(0) - grain, Latest: late(down(rto))}
}

// InFlight returns when an association with one path ends with ETIMEDOUT because its data is not
// acknowledged, counted from sending the data. T3-rtx expires after one RTO and doubles it each
// time. At the latest the association ends with the expiry after AssociationRetransmissions
// failures (net/sctp/sm_statefuns.c, sctp_sf_do_6_3_3_rtx). It mostly ends sooner: after the first
// expiry the kernel sends HEARTBEATs too, and their failures count.
func (s SCTP) InFlight(rto time.Duration) Window {
	return Window{Earliest: rto - grain, Latest: s.InFlightWithoutHeartbeats(rto).Latest}
}

// InFlightWithoutHeartbeats returns what InFlight does, for a path without HEARTBEATs.
func (s SCTP) InFlightWithoutHeartbeats(rto time.Duration) Window {
	return Around(backoff(rto, s.RTOMax, s.AssociationRetransmissions))
}

// InitFailure returns when connecting to a silent peer ends with ETIMEDOUT, counted from the first
// INIT. The kernel waits initial for an answer, sends attempts more INITs, and waits twice as long
// after each as before, at most longest (SCTP_INITMSG; net/sctp/sm_sideeffect.c, T1-init).
func InitFailure(initial, longest time.Duration, attempts int) Window {
	return Around(backoff(initial, longest, attempts))
}

// backoff returns how long a first wait and retries more take, each twice as long as the one
// before, at most longest.
func backoff(first, longest time.Duration, retries int) time.Duration {
	total := time.Duration(0)
	for wait := first; retries >= 0; retries-- {
		total += wait
		wait = min(2*wait, longest)
	}
	return total
}
