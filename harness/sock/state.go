package sock

import "fmt"

// State is a TCP state as the kernel numbers it (include/net/tcp_states.h).
// The zero value is no state.
type State uint8

// The TCP states.
const (
	Established State = iota + 1
	SynSent
	SynReceived
	FinWait1
	FinWait2
	TimeWait
	Closed
	CloseWait
	LastAck
	Listening
	Closing
	NewSynReceived
)

var stateNames = map[State]string{
	Established: "ESTABLISHED", SynSent: "SYN_SENT", SynReceived: "SYN_RECV", FinWait1: "FIN_WAIT1",
	FinWait2: "FIN_WAIT2", TimeWait: "TIME_WAIT", Closed: "CLOSED", CloseWait: "CLOSE_WAIT",
	LastAck: "LAST_ACK", Listening: "LISTEN", Closing: "CLOSING", NewSynReceived: "NEW_SYN_RECV",
}

// String is the state's name as RFC 9293 §3.3.2 and ss(8) write it.
func (s State) String() string {
	if name, ok := stateNames[s]; ok {
		return name
	}
	return fmt.Sprintf("state %d", uint8(s))
}
