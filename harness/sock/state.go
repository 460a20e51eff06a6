package sock

import "fmt"

// State is a TCP state, numbered as in the kernel (include/net/tcp_states.h). The zero value is no
// state.
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

// String returns the state's name in RFC 9293 §3.3.2, with underscores: "FIN_WAIT2".
func (s State) String() string {
	if name, ok := stateNames[s]; ok {
		return name
	}
	return fmt.Sprintf("state %d", uint8(s))
}
