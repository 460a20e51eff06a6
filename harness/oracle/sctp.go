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
	Heartbeat                  time.Duration // HB.interval: between HEARTBEATs on an idle path, without the RTO that is added to it
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
