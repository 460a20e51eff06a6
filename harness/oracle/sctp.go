package oracle

import (
	"fmt"
	"strings"
	"time"
)

// SCTP is the settings that together decide when the paths of an association, and the
// association itself, are given up (RFC 9260 §8, §16). A zero field leaves the system's
// value.
type SCTP struct {
	Heartbeat                  time.Duration // HB.interval: between HEARTBEATs on an idle path, beside what the RTO adds
	PathRetransmissions        int           // Path.Max.Retrans: failures in a row that a path survives
	AssociationRetransmissions int           // Association.Max.Retrans: failures in a row that the association survives
	RTOInitial, RTOMin, RTOMax time.Duration // the retransmission timeout before the first measurement, and its limits
}

// DefaultSCTP is the kernel's own (Documentation/networking/ip-sysctl.rst, net.sctp.*).
// RFC 9260 §16 has the same, but an RTO.Initial of 1 s.
func DefaultSCTP() SCTP {
	return SCTP{Heartbeat: 30 * time.Second, PathRetransmissions: 5, AssociationRetransmissions: 10,
		RTOInitial: 3 * time.Second, RTOMin: time.Second, RTOMax: time.Minute}
}

// String says the settings that are not the system's: "heartbeat 1s, path 3, association 3".
func (s SCTP) String() string {
	var words []string
	for _, field := range []struct {
		name  string
		value any
		set   bool
	}{
		{"heartbeat", s.Heartbeat, s.Heartbeat != 0},
		{"path retransmissions", s.PathRetransmissions, s.PathRetransmissions != 0},
		{"association retransmissions", s.AssociationRetransmissions, s.AssociationRetransmissions != 0},
		{"initial RTO", s.RTOInitial, s.RTOInitial != 0},
		{"least RTO", s.RTOMin, s.RTOMin != 0},
		{"longest RTO", s.RTOMax, s.RTOMax != 0},
	} {
		if field.set {
			words = append(words, fmt.Sprintf("%s %v", field.name, field.value))
		}
	}
	if len(words) == 0 {
		return "the system's values"
	}
	return strings.Join(words, ", ")
}

// heartbeatFloor is the shortest wait for the next HEARTBEAT, before its random part
// (net/sctp/transport.c, sctp_transport_timeout).
const heartbeatFloor = 200 * time.Millisecond

// PathFailure is when the only path of an idle association is reported unreachable,
// counted from the last HEARTBEAT that was answered, for the retransmission timeout in
// force then. All settings must be there. The zero Window says never: the association
// ends first.
//
// The kernel's rules are not quite RFC 9260 §8.3. The wait for the next HEARTBEAT is
// HB.interval and between half and one and a half RTO. The first one without an answer
// counts for nothing: only the next timer finds that out. Each timer from then on is a
// failure and doubles the RTO, and from the first failure until the path is down its
// waits are without HB.interval (RFC 7829, pf_retrans 0). The path is down with more
// failures than PathRetransmissions (net/sctp/sm_sideeffect.c,
// sctp_do_8_2_transport_strike).
func (s SCTP) PathFailure(rto time.Duration) Window {
	early, _ := s.silence(rto, 0)
	latest, _ := s.silence(rto, rto)
	if latest == 0 {
		return Window{}
	}
	return Window{Earliest: early - grain, Latest: late(latest)}
}

// AssociationFailure is when an idle association with one path ends with ETIMEDOUT,
// counted as for PathFailure: at the first timer that finds AssociationRetransmissions
// failures (net/sctp/sm_statefuns.c, sctp_sf_sendbeat_8_3). While the path is down the
// waits have HB.interval in them again.
func (s SCTP) AssociationFailure(rto time.Duration) Window {
	_, early := s.silence(rto, 0)
	_, latest := s.silence(rto, rto)
	return Window{Earliest: early - grain, Latest: late(latest)}
}

// silence is what happens after the last HEARTBEAT that was answered. Every wait has a
// random part of up to one RTO; here it is none, or all of it where random is the RTO.
// down is zero for a path that outlives its association.
func (s SCTP) silence(rto, random time.Duration) (down, over time.Duration) {
	return s.unanswered(s.wait(s.Heartbeat, rto, random), rto, random, 0)
}

// unanswered plays through what follows the first HEARTBEAT without an answer, which was
// sent at that time, after so many failures.
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

// wait is the time from one HEARTBEAT to the next, of which random is chance
// (net/sctp/transport.c, sctp_transport_timeout).
func (s SCTP) wait(interval, rto, random time.Duration) time.Duration {
	return max(interval+rto/2, heartbeatFloor) + random
}

// NextHeartbeat is when the next HEARTBEAT goes out on a path that is idle or was given
// up, counted from the last one.
func (s SCTP) NextHeartbeat(rto time.Duration) Window {
	return Window{Earliest: s.wait(s.Heartbeat, rto, 0) - grain, Latest: late(s.wait(s.Heartbeat, rto, rto))}
}

// PathFailureInFlight is when a path is reported unreachable whose data nobody
// acknowledges, counted from sending the data, in an association with another path, which
// takes the data over. T3-rtx is the first failure; from then on the path is only probed.
// PathRetransmissions must be more than one.
func (s SCTP) PathFailureInFlight(rto time.Duration) Window {
	s.AssociationRetransmissions = s.PathRetransmissions + 1 // the other path's answers clear the count
	down := func(random time.Duration) time.Duration {
		failed := rto
		probed := failed + s.wait(0, rto, random)
		d, _ := s.unanswered(probed, min(2*rto, s.RTOMax), min(2*random, s.RTOMax), 1)
		return d
	}
	return Window{Earliest: down(0) - grain, Latest: late(down(rto))}
}

// InFlight is when an association with one path ends with ETIMEDOUT whose data nobody
// acknowledges, counted from sending the data. T3-rtx expires after one RTO and doubles
// it each time, and the expiry that finds AssociationRetransmissions failures is the end
// (net/sctp/sm_statefuns.c, sctp_sf_do_6_3_3_rtx): that is the latest. It mostly comes
// sooner, because after the first expiry HEARTBEATs go out as well, and count too.
func (s SCTP) InFlight(rto time.Duration) Window {
	return Window{Earliest: rto - grain, Latest: s.InFlightWithoutHeartbeats(rto).Latest}
}

// InFlightWithoutHeartbeats is InFlight for a path that is not probed.
func (s SCTP) InFlightWithoutHeartbeats(rto time.Duration) Window {
	return Around(backingOff(rto, s.RTOMax, s.AssociationRetransmissions))
}

// InitFailure is when connecting into silence ends with ETIMEDOUT, counted from the first
// INIT: after RTO.Initial, and then after every further INIT, of which there are so many,
// a wait that doubles up to the longest (SCTP_INITMSG; net/sctp/sm_sideeffect.c, T1-init).
func InitFailure(initial, most time.Duration, attempts int) Window {
	return Around(backingOff(initial, most, attempts))
}

// backingOff is how long a first wait and so many after it take, each twice the one
// before, up to the longest.
func backingOff(first, most time.Duration, more int) time.Duration {
	total := time.Duration(0)
	for wait := first; more >= 0; more-- {
		total += wait
		wait = min(2*wait, most)
	}
	return total
}
