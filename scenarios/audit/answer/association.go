package answer

import "fmt"

// Association has what decides when the kernel gives up the peer of an SCTP association, as the
// kernel has it for the program's own socket (RFC 6458 §8.1), and what follows from it.
type Association struct {
	Heartbeat                  Seconds `json:"heartbeat_seconds"` // between HEARTBEATs; 0: it sends none
	PathRetransmissions        int     `json:"path_retransmissions"`
	AssociationRetransmissions int     `json:"association_retransmissions"`
	RTOInitial                 Seconds `json:"rto_initial_seconds"`
	RTOMin                     Seconds `json:"rto_min_seconds"`
	RTOMax                     Seconds `json:"rto_max_seconds"`
	RTO                        Seconds `json:"rto_seconds"` // of its path, once it had settled
	Heartbeats                 int     `json:"heartbeats"`  // that the program's kernel sent while nothing happened
	// Earliest and Latest are when its kernel gives up a peer that does not answer, counted from
	// when it was last heard, by these settings (oracle.SCTP.AssociationFailure); 0: never.
	Earliest Seconds `json:"given_up_earliest_seconds,omitempty"`
	Latest   Seconds `json:"given_up_latest_seconds,omitempty"`
}

// Lines returns the settings in words, for pages; "unknown" for nil.
func (a *Association) Lines() []string {
	if a == nil {
		return []string{"unknown"}
	}
	heartbeat := "HB.interval: none, it sends no HEARTBEAT"
	if a.Heartbeat > 0 {
		heartbeat = fmt.Sprintf("HB.interval %v, Path.Max.Retrans %d, Association.Max.Retrans %d", a.Heartbeat.plain(), a.PathRetransmissions, a.AssociationRetransmissions)
	}
	return []string{heartbeat, fmt.Sprintf("RTO.Initial %v, RTO.Min %v, RTO.Max %v", a.RTOInitial.plain(), a.RTOMin.plain(), a.RTOMax.plain())}
}

// quiet returns what was seen of the association while nothing happened, as lines of a page.
func (a *Association) quiet() []string {
	if a == nil {
		return []string{"unknown"}
	}
	lines := []string{fmt.Sprintf("its kernel sends HEARTBEATs: %d", a.Heartbeats)}
	if a.Latest > 0 {
		return append(lines, fmt.Sprintf("by its settings it gives up a silent peer after %v to %v", a.Earliest, a.Latest))
	}
	return append(lines, "by its settings it never gives up a silent peer")
}
